with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('campaigns_versions'), ['campaign_id']) }}
),

campaigns as (
    select
        versions.campaign_id,
        versions.source_system,
        versions.campaign_key,
        versions.campaign_name,
        versions.campaign_type,
        versions.start_date,
        versions.end_date
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }}
),

members as (
    select * from campaigns
    union all
    select
        'unknown' as campaign_id,
        'unknown' as source_system,
        'unknown' as campaign_key,
        null as campaign_name,
        null as campaign_type,
        null as start_date,
        null as end_date
)

select * from members
