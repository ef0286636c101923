-- The number is given once, when a load arrives whole, and orders equal rows by their content.
select
    *,
    row_number() over (
        partition by return_id, _load_id order by _row, product_id, net_amount, quantity, returned_at
    ) as line_number
from {{ ref('stg_returns') }}
where {{ is_new_load() }}
