select
    _row,
    "date" as spend_date,
    platform,
    'retailer' as account_key,
    campaign as campaign_key,
    'all' as ad_group_key,
    'all' as ad_key,
    campaign as campaign_name,
    impressions as impressions_count,
    clicks as clicks_count,
    spend as spend_amount,
    conversions as conversions_count,
    updated_at
from spend
