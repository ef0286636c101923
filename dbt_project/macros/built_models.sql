{#-
    `ops.model_builds` says from which snapshot, for which as-of date and by which run key (data, date, settings
    and code) each model was last built.
    The stamps of the models a run is about to touch are deleted first and written last, so that a
    killed or failed build leaves none; nor does a model that one of its blocking checks refuses.
-#}
{% macro forget_built_models() %}
    {% if execute %}
        {% do run_query('create schema if not exists ops') %}
        {% do run_query(
            'create table if not exists ops.model_builds'
            ~ ' (model varchar, snapshot_id varchar, as_of date, run_key varchar)'
        ) %}
        {% set names = model_names(selected_resources) %}
        {% if names %}
            {% do run_query("delete from ops.model_builds where model in ('" ~ names | join("', '") ~ "')") %}
        {% endif %}
    {% endif %}
{% endmacro %}

{% macro record_built_models(results) %}
    {% if execute %}
        {% set refused = [] %}
        {% for result in results if result.status in ('fail', 'error') %}
            {% do refused.extend(result.node.depends_on.nodes) %}
        {% endfor %}
        {% set names = model_names(
            results | selectattr('status', 'eq', 'success') | map(attribute='node.unique_id')
            | reject('in', refused)
        ) %}
        {% if names %}
            insert into ops.model_builds
            select built.model, run.snapshot_id, run.as_of, run.run_key
            from (values ('{{ names | join("'), ('") }}')) as built (model)
            cross join moment.run as run
        {% endif %}
    {% endif %}
{% endmacro %}

{#- The names of the models among some unique ids. -#}
{% macro model_names(unique_ids) %}
    {% set names = [] %}
    {% for unique_id in unique_ids if unique_id.startswith('model.') %}
        {% do names.append(unique_id.split('.') | last) %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}
