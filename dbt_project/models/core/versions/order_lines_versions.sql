-- The number is given once, when a load arrives whole, and orders equal rows by their content.
select
    *,
    row_number() over (
        partition by order_id, _load_id
        order by _row, product_id, net_amount, quantity, discount_amount, coupon_amount
    ) as line_number
from {{ ref('stg_order_lines') }}
where {{ is_new_load() }}
