-- The source has no customer file: a household exists from its first ticket on.
select
    household_id as customer_key,
    min(transaction_timestamp) as created_at,
    min(_row) as _row,
    count(*) as _row_count
from transactions
group by household_id
