{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook=["{{ list_touched(touched_messages()) }}", "{{ delete_touched('message_id') }}"],
    post_hook="{{ keep_built_from() }}"
) }}

with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

message_versions as (
    select * from {{ ref('messages_versions') }}
    where {{ is_touched('message_id') }}
),

event_versions as (
    select * from {{ ref('message_events_versions') }}
    where {{ has_touched_version(ref('message_events_versions'), 'message_event_id', 'message_id') }}
),

versions as (
    {{ with_validity('message_versions', ['message_id']) }}
),

events_by_version as (
    {{ with_validity('event_versions', ['message_event_id']) }}
),

messages as (
    select
        versions.*,
        {{ business_date('versions.sent_at', 'run.business_timezone') }} as sent_date
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }}
),

-- A program opens a message as soon as it is there; where the source does not tell, haste does.
events as (
    select
        events.message_id,
        events.event_type,
        events.occurred_at,
        events.bounce_type,
        row_number() over (
            partition by events.message_id order by events.occurred_at, events.message_event_id
        ) as place,
        coalesce(
            events.is_machine,
            events.event_type = 'opened'
            and messages.channel = 'email'
            and {{ seconds_between('messages.sent_at', 'events.occurred_at') }}
            < {{ var('machine_opens_within_seconds') }}
        ) as is_machine
    from events_by_version as events
    cross join run
    inner join messages on events.message_id = messages.message_id
    where
        {{ is_valid_at('run.as_of', 'events') }}
        and {{ business_date('events.occurred_at', 'run.business_timezone') }} < run.as_of
),

outcomes as (
    select
        message_id,
        min(occurred_at) filter (where event_type not in ('bounced', 'failed')) as delivered_at,
        min(occurred_at) filter (where event_type = 'opened' and not is_machine) as opened_at,
        min(occurred_at) filter (where event_type = 'opened' and is_machine) as machine_opened_at,
        min(occurred_at) filter (where event_type = 'clicked' and not is_machine) as clicked_at,
        min(occurred_at) filter (where event_type = 'replied') as replied_at,
        min(occurred_at) filter (where event_type in ('bounced', 'failed')) as bounced_at,
        min(occurred_at) filter (where event_type = 'complained') as complained_at,
        min(occurred_at) filter (where event_type = 'unsubscribed') as unsubscribed_at,
        min_by(coalesce(bounce_type, event_type), place) filter (
            where event_type in ('bounced', 'failed')
        ) as bounce_type
    from events
    group by message_id
),

campaigns as (
    select campaign_id from {{ ref('dim_campaigns') }}
),

customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
)

select
    messages.message_id,
    messages.source_system,
    messages.message_key,
    messages.customer_key,
    coalesce(customer_map.customer_id, 'unknown') as customer_id,
    coalesce(campaigns.campaign_id, 'unknown') as campaign_id,
    messages.channel,
    messages.purpose,
    messages.message_theme,
    messages.sent_at,
    messages.sent_date,
    outcomes.delivered_at,
    outcomes.opened_at,
    outcomes.machine_opened_at,
    outcomes.clicked_at,
    outcomes.replied_at,
    outcomes.bounced_at,
    outcomes.bounce_type,
    outcomes.complained_at,
    outcomes.unsubscribed_at,
    cast(messages.cost_amount as decimal(18, 4)) as cost_amount
from messages
cross join run
left join outcomes on messages.message_id = outcomes.message_id
left join campaigns on messages.campaign_id = campaigns.campaign_id
left join customer_map
    on
        messages.source_system = customer_map.source_system
        and messages.customer_key = customer_map.source_key
where messages.sent_date < run.as_of
