{#-
    Make every source a view over the committed files of one frozen snapshot of the lake.
    A source without a single file is an error: each has at least its empty, typed schema file.
-#}
{% macro register_lake() %}
    {% if execute %}
        {% set files = {} %}
        {% for row in run_query('select source, "table", path from ' ~ lake_snapshot(env_var('UNICUS_LAKE_FILES'))) %}
            {% do files.setdefault(row[0] ~ '.' ~ row[1], []).append(row[2] | replace("'", "''")) %}
        {% endfor %}
        {% set sources = graph.sources.values() | list %}
        {% for schema in sources | map(attribute='schema') | unique %}
            {% do run_query('create schema if not exists ' ~ schema) %}
        {% endfor %}
        {% for source in sources %}
            {% set name = source.schema ~ '.' ~ source.identifier %}
            {% if name not in files %}
                {% do exceptions.raise_compiler_error('The lake snapshot lists no file for the source ' ~ name) %}
            {% endif %}
            {% do run_query('create or replace view ' ~ name ~ ' as select * from ' ~ lake_files(files[name])) %}
        {% endfor %}
    {% endif %}
{% endmacro %}
