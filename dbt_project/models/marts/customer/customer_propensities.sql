with run as (
    select as_of from {{ source('moment', 'run') }}
),

scores as (
    select scores.*
    from {{ source('ml', 'scores') }} as scores
    inner join run on scores.as_of_date = run.as_of
),

orders as (
    select customer_id, horizon_days, predicted as expected_orders_count
    from scores
    where target = 'orders'
),

rhythms as (
    select customer_id, gap_mean_days from {{ ref('customer_features') }}
),

propensities as (
    select
        scores.*,
        orders.expected_orders_count,
        min(scores.horizon_days) filter (where scores.horizon_days >= 2 * rhythms.gap_mean_days) over (
            partition by scores.customer_id
        ) as fitting_horizon_days,
        max(scores.horizon_days) over (partition by scores.customer_id) as longest_horizon_days
    from scores
    left join orders on scores.customer_id = orders.customer_id and scores.horizon_days = orders.horizon_days
    left join rhythms on scores.customer_id = rhythms.customer_id
    where scores.target = 'any_order'
)

select
    customer_id,
    as_of_date,
    cast(horizon_days as integer) as horizon_days,
    predicted as order_probability,
    1 - predicted as churn_probability,
    expected_orders_count,
    horizon_days = coalesce(fitting_horizon_days, longest_horizon_days) as is_own_rhythm,
    model_name,
    predictor,
    model_version,
    mlflow_run_id,
    is_baseline,
    is_stale
from propensities
