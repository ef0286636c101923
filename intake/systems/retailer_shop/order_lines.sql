select
    _row,
    order_id as order_key,
    sku as product_key,
    'retailer_catalogue' as product_system,
    quantity,
    paid as net_amount,
    discount as discount_amount,
    coupon_discount as coupon_amount
from order_lines
