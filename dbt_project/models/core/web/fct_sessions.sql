{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook=[
        "{{ list_touched(touched_visitors()) }}",
        "{{ delete_touched('visitor_id') }}"
    ],
    post_hook=[
        "{{ build_other_slices('visitor_id', ref('web_events_versions')) }}",
        "{{ keep_built_from() }}"
    ]
) }}

with run as (
    select
        as_of,
        business_timezone,
        {{ business_midnight('as_of', 'business_timezone') }} as as_of_at
    from {{ source('moment', 'run') }}
),

event_versions as (
    select * from {{ ref('web_events_versions') }}
    where {{ has_touched_version(
        ref('web_events_versions'), 'event_id', 'visitor_id', ref('web_events_versions')
    ) }}
),

versions as (
    {{ with_validity('event_versions', ['event_id']) }}
),

events as (
    select
        versions.*,
        lag(versions.occurred_at) over (
            partition by versions.visitor_id, versions.channel, versions.session_key
            order by versions.occurred_at, versions.event_id
        ) as previous_at,
        row_number() over (
            partition by versions.visitor_id, versions.channel, versions.session_key
            order by versions.occurred_at, versions.event_id
        ) as place
    from versions
    cross join run
    where
        {{ is_valid_at('run.as_of', 'versions') }}
        and {{ is_touched('visitor_id', ref('web_events_versions')) }}
        and versions.occurred_at < run.as_of_at
),

-- A visit that the source names is one, however long it rests.
begun as (
    select
        *,
        case
            when previous_at is null then 1
            when session_key is not null then 0
            when
                {{ seconds_between('previous_at', 'occurred_at') }} > {{ var('session_ends_after_seconds') }}
                then 1
            else 0
        end as is_first
    from events
),

numbered as (
    select
        *,
        sum(is_first) over (
            partition by visitor_id, channel, session_key
            order by place
            rows between unbounded preceding and current row
        ) as session_number
    from begun
),

sessions as (
    select
        visitor_id,
        channel,
        max(event_id) filter (where is_first = 1) as session_id,
        min(source_system) as source_system,
        min(visitor_key) as visitor_key,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        min_by(customer_key, place) filter (where customer_key is not null) as customer_key,
        min_by(customer_system, place) filter (where customer_key is not null) as customer_system,
        max(device_type) filter (where is_first = 1) as device_type,
        max(campaign_source) filter (where is_first = 1) as campaign_source,
        max(campaign_medium) filter (where is_first = 1) as campaign_medium,
        max(campaign_name) filter (where is_first = 1) as campaign_name,
        min_by(message_id, place) filter (where message_id is not null) as message_id,
        count(*) as events_count,
        count(*) filter (where event_name like '% Viewed') as views_count,
        count(*) filter (where event_name = 'Products Searched') as searches_count,
        count(*) filter (where event_name = 'Product Viewed') as products_viewed_count,
        count(*) filter (where event_name = 'Product Added') as products_added_count,
        count(*) filter (where event_name = 'Checkout Started') as checkouts_count,
        count(distinct coalesce(order_id, event_id)) filter (where event_name = 'Order Completed') as orders_count,
        max_by(order_id, place) filter (where event_name = 'Order Completed') as order_id,
        max(case when {{ names_a_program('user_agent') }} then 1 else 0 end) as says_program
    from numbered
    group by visitor_id, channel, session_key, session_number
),

timed as (
    select
        *,
        {{ seconds_between('started_at', 'ended_at') }} as duration_seconds
    from sessions
),

customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
),

-- Profiles name the browser of an account, by logins that no visit may tell of.
named as (
    select
        profiles.visitor_key,
        min(customer_map.customer_id) as first_customer_id,
        max(customer_map.customer_id) as last_customer_id
    from {{ ref('identity_profiles') }} as profiles
    inner join customer_map
        on
            profiles.source_system = customer_map.source_system
            and profiles.source_key = customer_map.source_key
    where profiles.visitor_key is not null
    group by profiles.visitor_key
),

messages as (
    select
        message_id,
        customer_id
    from {{ ref('fct_messages') }}
    where customer_id <> 'unknown'
),

revealed as (
    select
        timed.*,
        customer_map.customer_id as login_customer_id,
        least(
            min(customer_map.customer_id) over (partition by timed.visitor_id), named.first_customer_id
        ) as first_customer_id,
        greatest(
            max(customer_map.customer_id) over (partition by timed.visitor_id), named.last_customer_id
        ) as last_customer_id,
        min(messages.customer_id) over (partition by timed.visitor_id) as first_clicked_id,
        max(messages.customer_id) over (partition by timed.visitor_id) as last_clicked_id
    from timed
    left join customer_map
        on
            timed.customer_system = customer_map.source_system
            and timed.customer_key = customer_map.source_key
    left join named on timed.visitor_key = named.visitor_key
    left join messages on timed.message_id = messages.message_id
),

-- Who logs in reveals all visits of the browser, those before too, unless it is also someone else's. A
-- click says less, as a message is passed on: it counts where no login says who it is.
known as (
    select
        *,
        coalesce(
            login_customer_id,
            case when first_customer_id = last_customer_id then first_customer_id end,
            case
                when first_customer_id is null and first_clicked_id = last_clicked_id then first_clicked_id
            end,
            'unknown'
        ) as customer_id
    from revealed
)

select
    known.session_id,
    known.source_system,
    known.visitor_id,
    known.visitor_key,
    known.customer_system,
    known.customer_key,
    known.customer_id,
    known.channel,
    known.device_type,
    known.started_at,
    {{ business_date('known.started_at', 'run.business_timezone') }} as started_date,
    known.ended_at,
    cast(known.duration_seconds as decimal(18, 3)) as duration_seconds,
    known.campaign_source,
    known.campaign_medium,
    known.campaign_name,
    known.message_id,
    known.events_count,
    known.views_count,
    known.searches_count,
    known.products_viewed_count,
    known.products_added_count,
    known.checkouts_count,
    known.orders_count,
    known.order_id,
    known.views_count >= 2 or known.orders_count > 0 or known.duration_seconds > 10 as is_engaged,
    known.says_program = 1
    or (
        known.events_count >= {{ var('program_events') }}
        and known.duration_seconds < {{ var('program_seconds_per_event') }} * (known.events_count - 1)
    ) as is_bot
from known
cross join run
