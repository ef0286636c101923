{#- A text without spaces around it; a blank one is NULL. -#}
{% macro trimmed(text) %}nullif(trim({{ text }}), ''){% endmacro %}

{#- The id of a record across systems: `<source_system>:<key>`, NULL when the key is. -#}
{% macro record_id(key) %}source_system || ':' || {{ trimmed(key) }}{% endmacro %}
