{#- None of the columns is NULL in any row. One test for all of them, since each test costs a query. -#}
{% test present(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where {% for column in columns %}{{ 'or ' if not loop.first }}{{ column }} is null {% endfor %}
{% endtest %}
