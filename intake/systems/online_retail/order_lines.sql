-- The price is what was charged; the file knows no list price, so no discount. What is no number is
-- given on as it stands, for the contract to refuse by name.
select
    _row,
    upper(trim(invoice)) as order_key,
    upper(trim(stock_code)) as product_key,
    quantity,
    coalesce(
        cast(try_cast(quantity as decimal(18, 3)) * try_cast(price as decimal(18, 4)) as varchar),
        quantity || ' x ' || price
    ) as net_amount,
    0 as discount_amount,
    0 as coupon_amount
from invoice_lines
