with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(
        ref('campaign_assignments_versions'), ['campaign_id', 'source_system', 'customer_key']
    ) }}
),

campaigns as (
    select campaign_id, start_date from {{ ref('dim_campaigns') }}
),

customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
),

assignments as (
    select
        versions.source_system,
        versions.customer_key,
        coalesce(customer_map.customer_id, 'unknown') as customer_id,
        coalesce(campaigns.campaign_id, 'unknown') as campaign_id,
        versions.campaign_key,
        coalesce(
            {{ business_date('versions.assigned_at', 'run.business_timezone') }}, campaigns.start_date
        ) as assigned_date
    from versions
    cross join run
    left join campaigns on versions.campaign_id = campaigns.campaign_id
    left join customer_map
        on
            versions.source_system = customer_map.source_system
            and versions.customer_key = customer_map.source_key
    where {{ is_valid_at('run.as_of', 'versions') }}
),

visible_assignments as (
    select assignments.*
    from assignments
    cross join run
    where assignments.assigned_date < run.as_of or assignments.assigned_date is null
)

select * from visible_assignments
