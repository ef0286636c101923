with customers as (
    select * from {{ ref('dim_customers') }}
    where customer_id <> 'unknown'
),

features as (
    select * from {{ ref('customer_features') }}
),

orders as (
    select
        customer_id,
        min(ordered_date) as first_ordered_date,
        max(ordered_date) as last_ordered_date
    from {{ ref('customer_days') }}
    group by customer_id
),

run as (
    select as_of from {{ source('moment', 'run') }}
),

tiers as (
    select
        customer_values.customer_id,
        customer_values.lifecycle,
        customer_values.value_tier
    from {{ ref('customer_as_of_values') }} as customer_values
    inner join run on customer_values.as_of_date = run.as_of
),

scores as (
    select * from {{ ref('customer_scores') }}
    where horizon_days = 90
),

expectations as (
    select * from {{ ref('customer_expectations') }}
),

campaigns as (
    select customer_id, count(distinct campaign_id) as campaigns_count
    from {{ ref('fct_campaign_assignments') }}
    group by customer_id
),

redemptions as (
    select customer_id, count(*) as coupon_redemptions_count
    from {{ ref('fct_coupon_redemptions') }}
    group by customer_id
),

returns as (
    select customer_id, sum(returned_amount) as returned_amount
    from {{ ref('fct_returns') }}
    group by customer_id
),

customer_360 as (
    select
        customers.customer_id,
        customers.smallest_record_key,
        customers.records_count,
        customers.source_systems,
        coalesce(tiers.lifecycle, 'prospect') as lifecycle,
        coalesce(tiers.value_tier, 'none') as value_tier,
        orders.first_ordered_date,
        orders.last_ordered_date,
        features.recency_days,
        features.tenure_days,
        coalesce(features.orders_count, 0) as orders_count,
        coalesce(features.orders_365d_count, 0) as orders_365d_count,
        coalesce(features.net_revenue_amount, 0) as net_revenue_amount,
        coalesce(features.net_revenue_365d_amount, 0) as net_revenue_365d_amount,
        cast(coalesce(returns.returned_amount, 0) as decimal(18, 2)) as returned_amount,
        features.basket_mean_amount,
        features.discount_share_rate,
        scores.predicted_net_revenue_amount as predicted_net_revenue_90d_amount,
        scores.predictor as value_predictor,
        scores.is_baseline as is_baseline_prediction,
        scores.is_stale as is_stale_prediction,
        expectations.churn_probability,
        expectations.churn_horizon_days,
        expectations.order_probability_30d,
        expectations.order_probability_90d,
        expectations.expected_orders_90d_count,
        expectations.expected_next_order_date,
        coalesce(campaigns.campaigns_count, 0) as campaigns_count,
        coalesce(redemptions.coupon_redemptions_count, 0) as coupon_redemptions_count,
        customers.age_band,
        customers.income_band,
        customers.home_ownership,
        customers.marital_status,
        customers.household_size,
        customers.household_composition,
        customers.children_count
    from customers
    left join features on customers.customer_id = features.customer_id
    left join orders on customers.customer_id = orders.customer_id
    left join tiers on customers.customer_id = tiers.customer_id
    left join scores on customers.customer_id = scores.customer_id
    left join expectations on customers.customer_id = expectations.customer_id
    left join campaigns on customers.customer_id = campaigns.customer_id
    left join redemptions on customers.customer_id = redemptions.customer_id
    left join returns on customers.customer_id = returns.customer_id
)

select * from customer_360
