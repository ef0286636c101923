{#- Every expression is true in every row; NULL counts as false. -#}
{% test holds(model, expressions) %}
select *
from {{ model }}
where not coalesce({% for expression in expressions %}({{ expression }}){{ ' and ' if not loop.last }}{% endfor %}, false)
{% endtest %}
