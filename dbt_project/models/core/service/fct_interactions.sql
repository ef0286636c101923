with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('interactions_versions'), ['interaction_id']) }}
),

known as (
    select
        versions.*,
        {{ business_date('versions.started_at', 'run.business_timezone') }} as started_date
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
    known.answered_at,
    known.ended_at,
    known.topic,
    known.interaction_status,
    known.outcome,
    known.is_complaint,
    known.is_first_contact_resolved,
    known.order_key,
    known.wait_seconds,
    known.handling_seconds,
    known.satisfaction_rating,
    known.recommendation_rating,
    cast(known.cost_amount as decimal(18, 4)) as cost_amount
from known
cross join run
left join customer_map
    on
        known.source_system = customer_map.source_system
        and known.customer_key = customer_map.source_key
where known.started_date < run.as_of
