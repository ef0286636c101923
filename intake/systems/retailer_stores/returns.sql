select
    _row,
    return_id as return_key,
    order_id as order_key,
    sku as product_key,
    'retailer_catalogue' as product_system,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/Paris', try_strptime(cast(returned_at as varchar), '%d/%m/%Y %H:%M:%S'))),
            '%Y-%m-%d %H:%M:%S'
        ),
        cast(returned_at as varchar)
    ) as returned_at,
    quantity,
    refunded as net_amount,
    reason
from retours
