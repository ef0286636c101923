-- A spreadsheet or pandas may write an integer with a trailing .0.
select
    regexp_replace(trim(cast(customer_id as varchar)), '\.0$', '') as customer_key,
    min(_row) as _row,
    count(*) as _row_count
from invoice_lines
group by all
