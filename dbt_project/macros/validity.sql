{#-
    All versions of a relation with the dates between which each is the one to believe.

    A version is known from the business day of `_version_at`, or always when that is NULL, and holds
    until the next version of the same key. `known_from_date` is that day, `known_to_date` the day of
    the next version; a version that is replaced on its own day is never valid. A deletion ends the
    version before it and is itself no version to believe, so it is left out here, for every model.
    The calling model has a CTE `run` with the row of the source moment.run.
-#}
{% macro with_validity(relation, key_columns) %}
    select *
    from (
        select
            *,
            lead(known_from_date, 1, date '9999-12-31') over (
                partition by {{ key_columns | join(', ') }}
                order by _version_at nulls first, _load_seq, _load_id, _row
            ) as known_to_date
        from (
            select
                versions.*,
                coalesce(
                    {{ business_date('versions._version_at', 'run.business_timezone') }}, date '0001-01-01'
                ) as known_from_date
            from {{ relation }} as versions
            cross join run
        ) as dated_versions
    ) as ended_versions
    where not coalesce(_is_deleted, false)
{% endmacro %}

{#- True for the version to believe at a date: known before it, and not yet replaced before it. -#}
{% macro is_valid_at(date, relation) %}({{ relation }}.known_from_date < {{ date }} and {{ date }} <= {{ relation }}.known_to_date){% endmacro %}
