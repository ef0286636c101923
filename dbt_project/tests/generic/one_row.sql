{#- The relation holds exactly one row, and none of the columns is NULL in it. -#}
{% test one_row(model, columns) %}
select count(*) as rows_count
from {{ model }}
having count(*) <> 1 {% for column in columns %} or count({{ column }}) <> 1 {% endfor %}
{% endtest %}
