{#-
    Make every source a view over the committed files of one frozen snapshot of the lake.
    A source without a single file is an error: each has at least its empty, typed schema file.
    Files never change, so a view over the same files is left as it is; `ops.lake_views` says of
    which files each view was made. It forgets a view before it is made anew, so that a killed run
    leaves nothing to believe.
-#}
{% macro register_lake() %}
    {% if execute %}
        {% do run_query('create schema if not exists ops') %}
        {% do run_query('create table if not exists ops.lake_views (name varchar, files varchar)') %}
        {% set listed = dict(run_query(lake_listing())) %}
        {% set made = dict(run_query('select name, files from ops.lake_views')) %}
        {% set changed = [] %}
        {% for source in graph.sources.values() %}
            {% set name = source.schema ~ '.' ~ source.identifier %}
            {% if name not in listed %}
                {% do exceptions.raise_compiler_error('The lake snapshot lists no file for the source ' ~ name) %}
            {% endif %}
            {% if listed[name] != made.get(name) %}
                {% do changed.append(source) %}
            {% endif %}
        {% endfor %}
        {% if changed %}
            {% do make_lake_views(changed, listed) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{#- One row per source with its files, quoted, in one text. -#}
{% macro lake_listing() %}
    select
        source || '.' || "table" as name,
        {{ ordered_list("'''' || replace(path, '''', '''''') || ''''") }} as files
    from {{ lake_snapshot(env_var('UNICUS_LAKE_FILES')) }}
    group by source, "table"
{% endmacro %}

{% macro make_lake_views(sources, listed) %}
    {% set names = [] %}
    {% for source in sources %}
        {% do names.append(source.schema ~ '.' ~ source.identifier) %}
    {% endfor %}
    {% set among = "name in ('" ~ names | join("', '") ~ "')" %}
    {% do run_query('delete from ops.lake_views where ' ~ among) %}
    {% for schema in sources | map(attribute='schema') | unique %}
        {% do run_query('create schema if not exists ' ~ schema) %}
    {% endfor %}
    {% for name in names %}
        {% do run_query('create or replace view ' ~ name ~ ' as select * from ' ~ lake_files(listed[name])) %}
    {% endfor %}
    {% do run_query(
        'insert into ops.lake_views'
        ~ ' select name, files from (' ~ lake_listing() ~ ') as listed where ' ~ among
    ) %}
{% endmacro %}
