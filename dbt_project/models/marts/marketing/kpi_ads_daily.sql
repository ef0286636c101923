with sums as (
    select
        spend_date,
        platform,
        campaign_key,
        min_by(campaign_name, account_key || ' ' || ad_group_key || ' ' || ad_key) as campaign_name,
        sum(impressions_count) as impressions_count,
        sum(clicks_count) as clicks_count,
        sum(spend_amount) as spend_amount,
        sum(claimed_conversions_count) as claimed_conversions_count,
        sum(claimed_conversions_amount) as claimed_conversions_amount
    from {{ ref('fct_ad_spend') }}
    group by spend_date, platform, campaign_key
)

select
    spend_date,
    platform,
    campaign_key,
    campaign_name,
    cast(impressions_count as bigint) as impressions_count,
    cast(clicks_count as bigint) as clicks_count,
    {{ ratio('clicks_count', 'impressions_count') }} as click_rate,
    cast(spend_amount as decimal(18, 4)) as spend_amount,
    {{ ratio('spend_amount', 'clicks_count') }} as cost_per_click_amount,
    {{ ratio('1000 * spend_amount', 'impressions_count') }} as cost_per_thousand_impressions_amount,
    cast(claimed_conversions_count as decimal(18, 4)) as claimed_conversions_count,
    cast(claimed_conversions_amount as decimal(18, 4)) as claimed_conversions_amount
from sums
