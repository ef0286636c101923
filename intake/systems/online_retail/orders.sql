-- Some invoices were typed over two minutes: the order is of the first. An invoice with two customers
-- would come out as two rows of one key, and the contract quarantines the second.
select
    upper(trim(invoice)) as order_key,
    regexp_replace(trim(cast(customer_id as varchar)), '\.0$', '') as customer_key,
    'web' as store_key,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/London', min(try_cast(invoice_date as timestamp)))),
            '%Y-%m-%d %H:%M:%S'
        ),
        min(cast(invoice_date as varchar))
    ) as ordered_at,
    min(_row) as _row,
    count(*) as _row_count
from invoice_lines
group by 1, 2
