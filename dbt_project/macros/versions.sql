{#- Every version table reads the staging model of its entity: orders_versions reads stg_orders. -#}
{% macro staged_entity() %}{{ return(ref('stg_' ~ (model.name | replace('_versions', '')))) }}{% endmacro %}

{#- The loads of a relation. Named once each: a list of every row's load would cost three times as much. -#}
{% macro distinct_loads(relation) %}select distinct _load_id, _load_seq from {{ relation }}{% endmacro %}

{#-
    Delete the rows of loads that are no longer live: undone, superseded, or loaded anew under
    another number. Runs before new loads are appended; a run killed in between is repaired by the next.
-#}
{% macro remove_dead_loads() %}
    {% if is_incremental() %}
        delete from {{ this }}
        where (_load_id, _load_seq) not in ({{ distinct_loads(staged_entity()) }})
    {% endif %}
{% endmacro %}

{#-
    A condition that keeps the loads the table does not hold yet. The list is a literal, so that an
    engine skips the files and row groups of all other loads.
-#}
{% macro is_new_load() %}
    {%- if is_incremental() -%}
        {%- set new_loads = run_query(
            'select _load_id from (' ~ distinct_loads(staged_entity()) ~ ') as loads'
            ~ ' where (_load_id, _load_seq) not in (' ~ distinct_loads(this) ~ ')'
        ).columns[0].values() -%}
        {{ "_load_id in ('" ~ new_loads | join("', '") ~ "')" if new_loads else 'false' }}
    {%- else -%}
        true
    {%- endif -%}
{% endmacro %}
