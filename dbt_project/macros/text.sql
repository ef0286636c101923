{#- A text without spaces around it; a blank one is NULL. -#}
{% macro trimmed(text) %}nullif(trim({{ text }}), ''){% endmacro %}

{#- The id of a record across systems: `<source_system>:<key>`, NULL when the key is. -#}
{# Of a key that may be another system's, `owner` is the column that names it. #}
{% macro record_id(key, owner=none) -%}
    {{ 'coalesce(' ~ trimmed(owner) ~ ', source_system)' if owner else 'source_system' }} || ':' || {{ trimmed(key) }}
{%- endmacro %}

{#- Whether a browser says of itself that it is a program. -#}
{% macro names_a_program(user_agent) -%}
    ({% for word in ['bot', 'crawl', 'spider', 'slurp', 'headless', 'monitor'] %}lower({{ user_agent }}) like '%{{ word }}%'{{ ' or ' if not loop.last }}{% endfor %})
{%- endmacro %}
