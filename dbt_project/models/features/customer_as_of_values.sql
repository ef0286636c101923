with dates as (
    select as_of_date from {{ source('moment', 'as_of_dates') }}
    where is_whole
),

features as (
    select features.*
    from {{ ref('customer_as_of_features') }} as features
    inner join dates on features.as_of_date = dates.as_of_date
),

first_orders as (
    select
        history.customer_id,
        dates.as_of_date,
        min(history.ordered_at) as first_ordered_at
    from {{ ref('order_history') }} as history
    inner join dates
        on {{ is_valid_at('dates.as_of_date', 'history') }} and history.ordered_date < dates.as_of_date
    group by history.customer_id, dates.as_of_date
),

customers as (
    select customer_id, smallest_record_key from {{ ref('dim_customers') }}
),

ranks as (
    select
        features.customer_id,
        features.as_of_date,
        row_number() over (
            partition by features.as_of_date
            order by
                features.net_revenue_365d_amount desc,
                first_orders.first_ordered_at asc,
                customers.smallest_record_key asc
        ) as revenue_rank,
        count(*) over (partition by features.as_of_date) as ranked_count
    from features
    inner join first_orders
        on features.customer_id = first_orders.customer_id and features.as_of_date = first_orders.as_of_date
    inner join customers on features.customer_id = customers.customer_id
    where features.orders_365d_count > 0
)

select
    features.customer_id,
    features.as_of_date,
    case
        when features.recency_days > {{ var('lost_after_days') }} then 'lost'
        when features.recency_days > {{ var('at_risk_after_days') }} then 'at_risk'
        when features.tenure_days <= {{ var('new_for_days') }} then 'new'
        when features.gap_last_days > {{ var('lost_after_days') }} then 'reactivated'
        else 'active'
    end as lifecycle,
    {{ value_tier('ranks.revenue_rank', 'ranks.ranked_count') }} as value_tier,
    features.recency_days,
    features.orders_365d_count,
    features.net_revenue_365d_amount
from features
left join ranks on features.customer_id = ranks.customer_id and features.as_of_date = ranks.as_of_date
