{#-
    Tables that are built in part: a run deletes and builds anew only the keys that something touched
    since the table was last built, and leaves the others as they are.

    `ops.built_from` says what each table was last built from: the live loads, the as-of date, how far
    the customer map went. It is written last, so a killed build touches the same keys again. When a
    load has left, or the map does not go on from where it was, everything is built anew. What the
    code of a table made of a key is not looked at here: the run builds anew when the code changes.

    Such a model has `list_touched` and `delete_touched` before it, `keep_built_from` after it, and
    reads only the keys that `is_touched`.
-#}

{% macro make_built_from() %}
    {% if execute %}
        {% do run_query('create schema if not exists ops') %}
        {% do run_query('create table if not exists ops.built_from (model varchar, input varchar, value varchar)') %}
    {% endif %}
{% endmacro %}

{#- One row per thing that decides what a table holds, as it is in this run. -#}
{% macro inputs_now() %}
    select distinct 'load' as input, load_id || '#' || cast(load_seq as varchar) as value
    from {{ source('ledger', 'loads') }}
    union all
    select 'as_of' as input, cast(as_of as varchar) as value from {{ source('moment', 'run') }}
    union all
    select 'map_until' as input, cast(coalesce(max(valid_from), timestamp '0001-01-01') as varchar) as value
    from {{ source('identity', 'customer_map') }}
    union all
    select 'map_rows' as input, cast(count(*) as varchar) as value
    from {{ source('identity', 'customer_map') }}
{% endmacro %}

{#- The value of an input that has one, when the table was last built. -#}
{% macro input_then(input) %}(select value from ops.built_from where model = '{{ model.name }}' and input = '{{ input }}'){% endmacro %}

{#- Whether what the table holds can be kept, but for the keys that were touched. -#}
{% macro is_partial() %}
    {%- if not (execute and is_incremental()) -%}{{ return(false) }}{%- endif -%}
    {%- set broken -%}
        select 1
        from ops.built_from as built
        left join ({{ inputs_now() }}) as here on built.input = here.input and built.value = here.value
        where built.model = '{{ model.name }}' and built.input = 'load' and here.value is null
        union all
        select 1
        from {{ source('identity', 'customer_map') }}
        where valid_from <= cast({{ input_then('map_until') }} as timestamp)
        having count(*) <> coalesce(cast({{ input_then('map_rows') }} as bigint), -1)
    {%- endset -%}
    {{ return(run_query(broken).rows | length == 0) }}
{% endmacro %}

{#- A table of the keys that this run builds anew; it lasts until the next build of the model. -#}
{% macro touched() %}ops.touched_{{ model.name }}{% endmacro %}

{#-
    A condition that keeps the keys to build: the touched ones, or all when the table is built anew. With
    `rows_of`, the relation they are read from, those of its first slice, when it has too many rows for
    memory; `build_other_slices` after the model adds the rest.
-#}
{% macro is_touched(key, rows_of=none) %}
    {%- if is_partial() -%}{{ return(key ~ ' in (select ' ~ key ~ ' from ' ~ touched() ~ ')') }}{%- endif -%}
    {{ return(in_slice(key, slices(rows_of), 0)) }}
{% endmacro %}

{#- How many slices of its keys a table is built in that reads a relation. -#}
{% macro slices(rows_of) %}
    {%- if not execute or rows_of is none or load_relation(rows_of) is none -%}{{ return(1) }}{%- endif -%}
    {{ return(run_query('select count(*) from ' ~ rows_of).columns[0].values()[0] // var('slice_rows') + 1) }}
{% endmacro %}

{% macro in_slice(key, count, number) %}{{ return('true' if count == 1 else bucket(key, count) ~ ' = ' ~ number) }}{% endmacro %}

{#- Builds what the model left out, with its own code, a slice at a time. -#}
{% macro build_other_slices(key, rows_of) %}
    {%- set count = 1 if not execute or is_partial() else slices(rows_of) -%}
    {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='quoted') | join(', ') if count > 1 -%}
    {%- for number in range(1, count) %}
        insert into {{ this }} ({{ columns }})
        select {{ columns }} from (
            {{ model.compiled_code | replace(in_slice(key, count, 0), in_slice(key, count, number)) }}
        ) as slice;
    {%- endfor %}
{% endmacro %}

{% macro list_touched(keys) %}
    {% if is_partial() %}
        create or replace table {{ touched() }} as {{ keys }}
    {% endif %}
{% endmacro %}

{% macro delete_touched(key) %}
    {% if is_incremental() %}
        delete from {{ this }} {% if is_partial() %} where {{ key }} in (select {{ key }} from {{ touched() }}) {% endif %}
    {% endif %}
{% endmacro %}

{% macro keep_built_from() %}
    delete from ops.built_from where model = '{{ model.name }}';
    insert into ops.built_from
    select '{{ model.name }}' as model, input, value from ({{ inputs_now() }}) as inputs
{% endmacro %}

{#- A condition that keeps the rows of loads the table was not built from. A literal, as in is_new_load. -#}
{% macro is_untaken_load(column) %}
    {%- set untaken -%}
        select distinct load_id
        from {{ source('ledger', 'loads') }}
        where load_id || '#' || cast(load_seq as varchar) not in (
            select value from ops.built_from where model = '{{ model.name }}' and input = 'load'
        )
    {%- endset -%}
    {%- set loads = run_query(untaken).columns[0].values() if execute and is_incremental() else [] -%}
    {{ column ~ " in ('" ~ loads | join("', '") ~ "')" if loads else 'false' }}
{% endmacro %}

{#- True for a date that the as-of date has passed since the last build, forward or back. -#}
{% macro was_passed(date) %}
    ({{ date }} < run.as_of) <> ({{ date }} < cast({{ input_then('as_of') }} as date))
{% endmacro %}

{#- The run with the instants at which its as-of date, and that of the last build, begin: `as_of_at`, `as_of_then_at`. -#}
{% macro run_and_last() %}
    select
        {{ business_midnight('as_of', 'business_timezone') }} as as_of_at,
        {{ business_midnight('cast(' ~ input_then('as_of') ~ ' as date)', 'business_timezone') }} as as_of_then_at
    from {{ source('moment', 'run') }}
{% endmacro %}

{#- The same for a time, UTC. Of very many rows the day of each would take longer than all else. -#}
{% macro was_passed_at(time) %}
    ({{ time }} < run.as_of_at) <> ({{ time }} < run.as_of_then_at)
{% endmacro %}

{#- Keys of a version table that have a version of a new load, or one whose day was passed. -#}
{% macro touched_versions(relation, key) %}
    select versions.{{ key }}
    from {{ relation }} as versions
    cross join ({{ run_and_last() }}) as run
    where
        {{ is_untaken_load('versions._load_id') }}
        or {{ was_passed_at('versions._version_at') }}
{% endmacro %}

{#- Orders that a new load brought or changed, or whose buyer's record changed its customer. -#}
{% macro loaded_orders() %}
    select order_id from {{ ref('orders_versions') }}
    where {{ is_untaken_load('_load_id') }}
    union
    select order_id from {{ ref('order_lines_versions') }}
    where {{ is_untaken_load('_load_id') }}
    union
    select orders.order_id
    from {{ ref('orders_versions') }} as orders
    inner join {{ source('identity', 'customer_map') }} as customer_map
        on
            orders.source_system = customer_map.source_system
            and orders.customer_key = customer_map.source_key
    where customer_map.valid_from > cast({{ input_then('map_until') }} as timestamp)
{% endmacro %}

{#- Loaded orders, and those with a state that begins or ends where the as-of date has passed. -#}
{% macro known_or_passed_orders() %}
    {{ loaded_orders() }}
    union
    select history.order_id
    from {{ ref('order_history') }} as history
    cross join {{ source('moment', 'run') }} as run
    where
        {{ was_passed('history.known_from_date') }}
        or {{ was_passed('history.known_to_date') }}
        or {{ was_passed('history.ordered_date') }}
{% endmacro %}

{#- What touches fct_orders: also a place of sale that becomes known, or a line that was refused. -#}
{% macro touched_orders() %}
    {{ known_or_passed_orders() }}
    union
    select history.order_id
    from {{ ref('order_history') }} as history
    inner join ({{ touched_versions(ref('stores_versions'), 'store_id') }}) as stores
        on history.store_id = stores.store_id
    union
    select history.order_id
    from {{ ref('order_history') }} as history
    inner join {{ source('ledger', 'quarantined_rows') }} as quarantined
        on
            history.source_system = quarantined.source_system
            and history.order_key = trim(quarantined.parent_key)
    where quarantined.entity = 'order_lines' and {{ is_untaken_load('quarantined.load_id') }}
{% endmacro %}

{#- What touches fct_order_lines: also a product that becomes known. -#}
{% macro touched_order_lines() %}
    {{ known_or_passed_orders() }}
    union
    select lines.order_id
    from {{ ref('order_lines_versions') }} as lines
    inner join ({{ touched_versions(ref('products_versions'), 'product_id') }}) as products
        on lines.product_id = products.product_id
{% endmacro %}

{#-
    Who has, or had by any version or before a merge, an order that touches fct_orders. Versions tell
    more than order_history, which leaves out what was replaced on its own day.
-#}
{% macro touched_customers() %}
    select coalesce(customer_map.customer_id, 'unknown') as customer_id
    from {{ ref('orders_versions') }} as versions
    inner join ({{ known_or_passed_orders() }}) as orders on versions.order_id = orders.order_id
    left join {{ source('identity', 'customer_map') }} as customer_map
        on
            versions.source_system = customer_map.source_system
            and versions.customer_key = customer_map.source_key
            and customer_map.valid_to is null
    union
    select customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to > cast({{ input_then('map_until') }} as timestamp)
{% endmacro %}

{#-
    Keys that a run has to build anew because of a version table whose rows have an id of their own: what
    any version of a row said that was touched, since a correction may give a row another key. Touched is
    a version of a new load, one whose day, or the day it tells of, was passed, or one of a record whose
    customer changed.
-#}
{% macro touched_rows(relation, id, key, at, customer_system='source_system') %}
    select corrected.{{ key }}
    from {{ relation }} as corrected
    where corrected.{{ id }} in (
        select versions.{{ id }}
        from {{ relation }} as versions
        cross join ({{ run_and_last() }}) as run
        where
            {{ is_untaken_load('versions._load_id') }}
            or {{ was_passed_at('versions._version_at') }}
            or {{ was_passed_at('versions.' ~ at) }}
        union
        select versions.{{ id }}
        from {{ relation }} as versions
        inner join {{ source('identity', 'customer_map') }} as customer_map
            on
                versions.{{ customer_system }} = customer_map.source_system
                and versions.customer_key = customer_map.source_key
        where customer_map.valid_from > cast({{ input_then('map_until') }} as timestamp)
    )
{% endmacro %}

{#- A condition that keeps all versions of the rows of which one has a key to build. -#}
{% macro has_touched_version(relation, id, key, rows_of=none) %}
    {%- set condition = is_touched(key, rows_of) -%}
    {{ return('true' if condition == 'true' else id ~ ' in (select ' ~ id ~ ' from ' ~ relation ~ ' where ' ~ condition ~ ')') }}
{% endmacro %}

{#- Who has, or had by any version or before a merge, an event of a new load. -#}
{% macro touched_browsers() %}
    select customer_map.customer_id
    from {{ ref('web_events_versions') }} as versions
    inner join {{ source('identity', 'customer_map') }} as customer_map
        on
            versions.customer_system = customer_map.source_system
            and versions.customer_key = customer_map.source_key
            and customer_map.valid_to is null
    where versions.event_id in (
        select event_id from {{ ref('web_events_versions') }}
        where {{ is_untaken_load('_load_id') }}
    )
    union
    select customer_id
    from {{ source('identity', 'customer_map') }}
    where
        valid_from > cast({{ input_then('map_until') }} as timestamp)
        or valid_to > cast({{ input_then('map_until') }} as timestamp)
{% endmacro %}

{#-
    What touches fct_sessions: events, and the profiles and messages that reveal whose a browser is. Of
    those, too, what any version named: a browser that an account names no more is taken back.
-#}
{% macro touched_visitors() %}
    {{ touched_rows(ref('web_events_versions'), 'event_id', 'visitor_id', 'occurred_at', 'customer_system') }}
    union
    select events.visitor_id
    from {{ ref('web_events_versions') }} as events
    where events.visitor_key in ({{ touched_profiles('visitor_key') }})
    union
    select events.visitor_id
    from {{ ref('web_events_versions') }} as events
    where events.message_id in (
        {{ touched_rows(ref('messages_versions'), 'message_id', 'message_id', 'sent_at') }}
    )
{% endmacro %}

{#- What any version said of the profiles that a new load brought, or whose record changed its customer. -#}
{% macro touched_profiles(column) %}
    select profiles.{{ column }}
    from {{ ref('customers_versions') }} as profiles
    inner join (
        select source_system, customer_key from {{ ref('customers_versions') }}
        where {{ is_untaken_load('_load_id') }}
        union
        select source_system, source_key as customer_key from {{ source('identity', 'customer_map') }}
        where valid_from > cast({{ input_then('map_until') }} as timestamp)
    ) as touched
        on profiles.source_system = touched.source_system and profiles.customer_key = touched.customer_key
    where profiles.{{ column }} is not null
{% endmacro %}

{#- What touches fct_messages: the message, what became of it, and a campaign that becomes known. -#}
{% macro touched_messages() %}
    {{ touched_rows(ref('messages_versions'), 'message_id', 'message_id', 'sent_at') }}
    union
    {{ touched_rows(ref('message_events_versions'), 'message_event_id', 'message_id', 'occurred_at') }}
    union
    select messages.message_id
    from {{ ref('messages_versions') }} as messages
    inner join ({{ touched_versions(ref('campaigns_versions'), 'campaign_id') }}) as campaigns
        on messages.campaign_id = campaigns.campaign_id
{% endmacro %}
