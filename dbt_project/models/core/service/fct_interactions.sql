with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('interactions_versions'), ['interaction_id']) }}
),

known as (
    select
        versions.*,
        {{ business_date('versions.started_at', 'run.business_timezone') }} as started_date,
        -- A source that does not say when it changed a row tells what came of it at every as-of date.
        coalesce(
            {{ business_date('versions.ended_at', 'run.business_timezone') }} < run.as_of,
            {{ business_date('versions.answered_at', 'run.business_timezone') }} < run.as_of,
            true
        ) as has_ended
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }}
),

customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
)

select
    known.interaction_id,
    known.source_system,
    known.interaction_key,
    known.customer_key,
    coalesce(customer_map.customer_id, 'unknown') as customer_id,
    known.interaction_type,
    known.direction,
    known.started_at,
    known.started_date,
    case
        when {{ business_date('known.answered_at', 'run.business_timezone') }} < run.as_of then known.answered_at
    end as answered_at,
    case when known.has_ended then known.ended_at end as ended_at,
    known.topic,
    case when known.has_ended then known.interaction_status else 'open' end as interaction_status,
    case when known.has_ended then known.outcome end as outcome,
    known.is_complaint,
    case when known.has_ended then known.is_first_contact_resolved end as is_first_contact_resolved,
    known.order_key,
    case
        when coalesce(
            {{ business_date('known.answered_at', 'run.business_timezone') }} < run.as_of, known.has_ended
        ) then known.wait_seconds
    end as wait_seconds,
    case when known.has_ended then known.handling_seconds end as handling_seconds,
    case when known.has_ended then known.satisfaction_rating end as satisfaction_rating,
    case when known.has_ended then known.recommendation_rating end as recommendation_rating,
    case when known.has_ended then cast(known.cost_amount as decimal(18, 4)) end as cost_amount
from known
cross join run
left join customer_map
    on
        known.source_system = customer_map.source_system
        and known.customer_key = customer_map.source_key
where known.started_date < run.as_of
