with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('social_activity_versions'), ['activity_id']) }}
),

known as (
    select
        versions.*,
        {{ business_date('versions.occurred_at', 'run.business_timezone') }} as occurred_date
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
    known.activity_id,
    known.source_system,
    known.activity_key,
    known.customer_key,
    coalesce(customer_map.customer_id, 'unknown') as customer_id,
    known.platform,
    known.activity_type,
    known.post_key,
    known.campaign_key,
    known.occurred_at,
    known.occurred_date,
    known.sentiment_score
from known
cross join run
left join customer_map
    on
        known.source_system = customer_map.source_system
        and known.customer_key = customer_map.source_key
where known.occurred_date < run.as_of
