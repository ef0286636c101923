with propensities as (
    select * from {{ ref('customer_propensities') }}
),

expectations as (
    select
        customer_id,
        as_of_date,
        max(churn_probability) filter (where is_own_rhythm) as churn_probability,
        max(horizon_days) filter (where is_own_rhythm) as churn_horizon_days,
        max(order_probability) filter (where horizon_days = 30) as order_probability_30d,
        max(order_probability) filter (where horizon_days = 90) as order_probability_90d,
        max(expected_orders_count) filter (where horizon_days = 90) as expected_orders_90d_count
    from propensities
    group by customer_id, as_of_date
),

-- A certain order would make the hazard infinite.
hazards as (
    select
        *,
        -ln(greatest(1 - order_probability_30d, 1e-9)) as hazard_30d,
        nullif(-ln(greatest(1 - order_probability_90d, 1e-9)), 0) as hazard_90d
    from expectations
),

-- The hazard is a power of the time through both points; where they allow none, a line to the second.
powers as (
    select
        *,
        case
            when 0 < hazard_30d and hazard_30d < hazard_90d then ln(hazard_90d / hazard_30d) / ln(3)
            else 1
        end as hazard_power
    from hazards
),

-- The time by which an order is as likely as not. The first day ends one day after its begin.
waits as (
    select
        *,
        90 * power(ln(2) / hazard_90d, 1 / hazard_power) as wait_days
    from powers
)

select
    customer_id,
    as_of_date,
    churn_probability,
    churn_horizon_days,
    order_probability_30d,
    order_probability_90d,
    expected_orders_90d_count,
    case
        when order_probability_30d is not null and order_probability_90d >= 0.5
            then {{ add_days('as_of_date', 'greatest(ceil(round(wait_days, 6)) - 1, 0)') }}
    end as expected_next_order_date
from waits
