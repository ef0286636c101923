{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook=["{{ list_touched(touched_browsers()) }}", "{{ delete_touched('customer_id') }}"],
    post_hook="{{ keep_built_from() }}"
) }}

with run as (
    select business_timezone from {{ source('moment', 'run') }}
),

customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
),

events as (
    select
        versions.event_id,
        customer_map.customer_id,
        versions.occurred_at,
        versions.event_name,
        versions.user_agent,
        versions._version_at,
        versions._load_seq,
        versions._load_id,
        versions._row,
        versions._is_deleted
    from {{ ref('web_events_versions') }} as versions
    left join customer_map
        on
            versions.customer_system = customer_map.source_system
            and versions.customer_key = customer_map.source_key
),

touched_events as (
    select distinct event_id
    from events
    where customer_id is not null and {{ is_touched('customer_id') }}
),

-- All versions of an event, since a correction may give it to another customer, or to none.
event_versions as (
    select events.*
    from events
    inner join touched_events on events.event_id = touched_events.event_id
),

versions as (
    {{ with_validity('event_versions', ['event_id']) }}
)

select
    versions.customer_id,
    {{ business_date('versions.occurred_at', 'run.business_timezone') }} as browsed_date,
    versions.known_from_date,
    versions.known_to_date,
    count(*) as events_count,
    count(case when versions.event_name = 'Product Viewed' then 1 end) as products_viewed_count,
    count(case when versions.event_name = 'Product Added' then 1 end) as products_added_count,
    count(case when versions.event_name = 'Checkout Started' then 1 end) as checkouts_count
from versions
cross join run
where
    versions.known_from_date < versions.known_to_date
    and versions.customer_id is not null
    and not coalesce({{ names_a_program('versions.user_agent') }}, false)
    and {{ is_touched('customer_id') }}
group by
    versions.customer_id,
    {{ business_date('versions.occurred_at', 'run.business_timezone') }},
    versions.known_from_date,
    versions.known_to_date
