with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(
        ref('coupon_redemptions_versions'),
        ['coupon_id', 'campaign_id', 'source_system', 'customer_key', 'redeemed_at']
    ) }}
),

campaigns as (
    select campaign_id from {{ ref('dim_campaigns') }}
),

customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
),

redemptions as (
    select
        versions.source_system,
        versions.customer_key,
        coalesce(customer_map.customer_id, 'unknown') as customer_id,
        versions.coupon_id,
        coalesce(campaigns.campaign_id, 'unknown') as campaign_id,
        versions.campaign_key,
        versions.redeemed_at,
        {{ business_date('versions.redeemed_at', 'run.business_timezone') }} as redeemed_date
    from versions
    cross join run
    left join campaigns on versions.campaign_id = campaigns.campaign_id
    left join customer_map
        on
            versions.source_system = customer_map.source_system
            and versions.customer_key = customer_map.source_key
    where {{ is_valid_at('run.as_of', 'versions') }}
),

visible_redemptions as (
    select redemptions.*
    from redemptions
    cross join run
    where redemptions.redeemed_date < run.as_of
)

select * from visible_redemptions
