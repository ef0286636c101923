-- The shop sells on the web alone.
select
    'web' as store_key,
    'web' as channel,
    min(_row) as _row,
    count(*) as _row_count
from invoice_lines
having count(*) > 0
