select
    _row,
    order_id as order_key,
    client_id as customer_key,
    channel,
    ordered_at,
    updated_at
from orders
