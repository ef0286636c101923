select
    _row,
    coupon as coupon_key,
    client_id as customer_key,
    replace(cast(coupon as varchar), 'CP', 'CMP') as campaign_key,
    'retailer_messaging' as campaign_system,
    ordered_at as redeemed_at,
    updated_at
from orders
