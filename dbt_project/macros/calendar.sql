{#- Calendar months from one month start to a later one. -#}
{% macro months_between(from_month, to_month) %}
    12 * (extract(year from {{ to_month }}) - extract(year from {{ from_month }}))
    + extract(month from {{ to_month }}) - extract(month from {{ from_month }})
{% endmacro %}
