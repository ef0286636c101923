{#-
    What only one engine can say. Each macro is one line per engine; a model body never asks which
    engine it runs on. Another engine joins by adding its own `<engine>__` line here.
-#}

{#- The rows of a snapshot: one per Parquet file of the lake, with source, table and path. -#}
{% macro lake_snapshot(path) %}{{ return(adapter.dispatch('lake_snapshot', 'unicus')(path)) }}{% endmacro %}
{% macro duckdb__lake_snapshot(path) %}read_json('{{ path | replace("'", "''") }}', format = 'newline_delimited', columns = {source: 'varchar', "table": 'varchar', path: 'varchar'}){% endmacro %}

{#- The union by column name of Parquet files, given as a text of quoted paths. -#}
{% macro lake_files(paths) %}{{ return(adapter.dispatch('lake_files', 'unicus')(paths)) }}{% endmacro %}
{% macro duckdb__lake_files(paths) %}read_parquet([{{ paths }}], union_by_name = true, hive_partitioning = false){% endmacro %}

{#- The calendar day, in a time zone, of a UTC timestamp. -#}
{% macro business_date(utc_timestamp, timezone) %}{{ return(adapter.dispatch('business_date', 'unicus')(utc_timestamp, timezone)) }}{% endmacro %}
{% macro duckdb__business_date(utc_timestamp, timezone) %}cast(timezone({{ timezone }}, timezone('UTC', {{ utc_timestamp }})) as date){% endmacro %}

{#-
    When a business day begins, UTC: cheaper to compare very many times with than the day of each. Of two
    midnights, where clocks go back an hour over it, the first.
-#}
{% macro business_midnight(date, timezone) %}{{ return(adapter.dispatch('business_midnight', 'unicus')(date, timezone)) }}{% endmacro %}
{% macro duckdb__business_midnight(date, timezone) %}{{ first_midnight("timezone('UTC', timezone(" ~ timezone ~ ", cast(" ~ date ~ " as timestamp)))", date, timezone) }}{% endmacro %}
{% macro first_midnight(midnight, date, timezone) %}case when {{ business_date(midnight ~ " - interval '1 hour'", timezone) }} = {{ date }} then {{ midnight }} - interval '1 hour' else {{ midnight }} end{% endmacro %}

{#- Whole days from one date to a later one. -#}
{% macro days_between(from_date, to_date) %}{{ return(adapter.dispatch('days_between', 'unicus')(from_date, to_date)) }}{% endmacro %}
{% macro duckdb__days_between(from_date, to_date) %}cast({{ to_date }} - {{ from_date }} as bigint){% endmacro %}

{#- A date moved by a number of days, which may be negative or an expression. -#}
{% macro add_days(date, days) %}{{ return(adapter.dispatch('add_days', 'unicus')(date, days)) }}{% endmacro %}
{% macro duckdb__add_days(date, days) %}({{ date }} + cast({{ days }} as integer)){% endmacro %}

{#- A date moved by a literal number of months. -#}
{% macro add_months(date, months) %}{{ return(adapter.dispatch('add_months', 'unicus')(date, months)) }}{% endmacro %}
{% macro duckdb__add_months(date, months) %}cast({{ date }} + interval '{{ months }} months' as date){% endmacro %}

{#- One row per month from one month start to another, as an expression of a select list. -#}
{% macro month_spine(first_month, last_month) %}{{ return(adapter.dispatch('month_spine', 'unicus')(first_month, last_month)) }}{% endmacro %}
{% macro duckdb__month_spine(first_month, last_month) %}cast(unnest(generate_series({{ first_month }}, {{ last_month }}, interval '1 month')) as date){% endmacro %}

{#- True on a Saturday or a Sunday. -#}
{% macro is_weekend(date) %}{{ return(adapter.dispatch('is_weekend', 'unicus')(date)) }}{% endmacro %}
{% macro duckdb__is_weekend(date) %}(isodow({{ date }}) >= 6){% endmacro %}

{#- The exact median, as a double. -#}
{% macro median(number) %}{{ return(adapter.dispatch('median', 'unicus')(number)) }}{% endmacro %}
{% macro duckdb__median(number) %}median(cast({{ number }} as double)){% endmacro %}

{#- A number from 0 up to 1 that is the same for the same text, evenly spread over texts. -#}
{% macro even_share(text) %}{{ return(adapter.dispatch('even_share', 'unicus')(text)) }}{% endmacro %}
{% macro duckdb__even_share(text) %}(md5_number_lower({{ text }}) / 18446744073709551616.0){% endmacro %}

{#- One of so many buckets, from 0, always the same for the same text within a build. -#}
{% macro bucket(text, count) %}{{ return(adapter.dispatch('bucket', 'unicus')(text, count)) }}{% endmacro %}
{% macro duckdb__bucket(text, count) %}hash({{ text }}) % {{ count }}{% endmacro %}

{#- The distinct values of a group, sorted, in one text. -#}
{% macro ordered_list(text) %}{{ return(adapter.dispatch('ordered_list', 'unicus')(text)) }}{% endmacro %}
{% macro duckdb__ordered_list(text) %}string_agg(distinct {{ text }}, ', ' order by {{ text }}){% endmacro %}

{#- Seconds from one timestamp to a later one, with their fraction. -#}
{% macro seconds_between(from_at, to_at) %}{{ return(adapter.dispatch('seconds_between', 'unicus')(from_at, to_at)) }}{% endmacro %}
{% macro duckdb__seconds_between(from_at, to_at) %}((epoch_us({{ to_at }}) - epoch_us({{ from_at }})) / 1000000.0){% endmacro %}

{#- The texts of a group that are not NULL, in an order, with ` > ` between them. -#}
{% macro steps_in_order(text, order_columns) %}{{ return(adapter.dispatch('steps_in_order', 'unicus')(text, order_columns)) }}{% endmacro %}
{% macro duckdb__steps_in_order(text, order_columns) %}string_agg({{ text }}, ' > ' order by {{ order_columns }}){% endmacro %}
