select
    _row,
    return_id as return_key,
    order_id as order_key,
    sku as product_key,
    'retailer_catalogue' as product_system,
    returned_at,
    quantity,
    refunded as net_amount,
    reason
from returns
