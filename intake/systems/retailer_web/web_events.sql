select
    _row,
    event_id as event_key,
    "timestamp" as occurred_at,
    event as event_name,
    platform as channel,
    visitor_id as visitor_key,
    account_id as customer_key,
    device as device_type,
    user_agent,
    path as page_url,
    utm_source as campaign_source,
    utm_medium as campaign_medium,
    utm_campaign as campaign_name,
    search as search_term,
    sku as product_key,
    order_id as order_key,
    value as value_amount
from events
