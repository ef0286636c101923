-- A credit note has quantities below zero. D takes money off after the sale, M is typed by hand.
select
    _row,
    upper(trim(invoice)) as return_key,
    regexp_replace(trim(cast(customer_id as varchar)), '\.0$', '') as customer_key,
    upper(trim(stock_code)) as product_key,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/London', try_cast(invoice_date as timestamp))),
            '%Y-%m-%d %H:%M:%S'
        ),
        cast(invoice_date as varchar)
    ) as returned_at,
    coalesce(cast(-try_cast(quantity as decimal(18, 3)) as varchar), cast(quantity as varchar))
        as quantity,
    coalesce(
        cast(-try_cast(quantity as decimal(18, 3)) * try_cast(price as decimal(18, 4)) as varchar),
        quantity || ' x ' || price
    ) as net_amount,
    case upper(trim(stock_code)) when 'D' then 'discount' when 'M' then 'manual' end as reason
from invoice_lines
