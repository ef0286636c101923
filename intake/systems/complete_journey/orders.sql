-- A basket with two households, stores or times would come out as two rows of one key: the contract
-- quarantines the second instead of one of them being chosen in silence.
select
    basket_id as order_key,
    household_id as customer_key,
    store_id as store_key,
    transaction_timestamp as ordered_at,
    min(_row) as _row,
    count(*) as _row_count
from transactions
group by basket_id, household_id, store_id, transaction_timestamp
