-- Customers that no load in force mentions any more are in no table, so in none of their past either.
with customers as (
    select customer_id from {{ ref('dim_customers') }}
    where customer_id <> 'unknown'
),

history as (
    select history.*
    from {{ source('ml', 'value_history') }} as history
    inner join customers on history.customer_id = customers.customer_id
)

select
    customer_id,
    as_of_date,
    lifecycle,
    value_tier,
    recency_days,
    orders_365d_count,
    net_revenue_365d_amount,
    predicted_net_revenue_30d_amount,
    predicted_net_revenue_90d_amount,
    predicted_net_revenue_365d_amount,
    value_predictor,
    is_baseline_prediction,
    is_stale_prediction,
    order_probability_30d,
    order_probability_90d,
    expected_orders_90d_count,
    is_backfilled
from history
