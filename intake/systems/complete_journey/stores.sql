select
    store_id as store_key,
    'store' as channel,
    min(_row) as _row,
    count(*) as _row_count
from transactions
group by store_id
