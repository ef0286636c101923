with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(
        ref('ad_spend_versions'),
        ['source_system', 'spend_date', 'platform', 'account_key', 'campaign_key', 'ad_group_key', 'ad_key']
    ) }}
)

select
    versions.source_system,
    versions.spend_date,
    versions.platform,
    versions.account_key,
    versions.campaign_key,
    versions.ad_group_key,
    versions.ad_key,
    versions.campaign_name,
    versions.impressions_count,
    versions.clicks_count,
    cast(versions.spend_amount as decimal(18, 4)) as spend_amount,
    versions.conversions_count as claimed_conversions_count,
    cast(versions.conversions_amount as decimal(18, 4)) as claimed_conversions_amount
from versions
cross join run
where {{ is_valid_at('run.as_of', 'versions') }} and versions.spend_date < run.as_of
