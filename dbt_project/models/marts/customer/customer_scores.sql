with run as (
    select as_of from {{ source('moment', 'run') }}
),

scores as (
    select
        scores.customer_id,
        scores.as_of_date,
        cast(scores.horizon_days as integer) as horizon_days,
        cast(scores.predicted as decimal(18, 2)) as predicted_net_revenue_amount,
        cast(scores.low as decimal(18, 2)) as predicted_net_revenue_low_amount,
        cast(scores.high as decimal(18, 2)) as predicted_net_revenue_high_amount,
        scores.any_order_probability as order_probability,
        cast(scores.if_any as decimal(18, 2)) as if_buying_amount,
        cast(scores.if_any_low as decimal(18, 2)) as if_buying_low_amount,
        cast(scores.if_any_high as decimal(18, 2)) as if_buying_high_amount,
        scores.season_factor,
        scores.model_name,
        scores.predictor,
        scores.model_version,
        scores.mlflow_run_id,
        scores.is_baseline,
        scores.is_stale
    from {{ source('ml', 'scores') }} as scores
    inner join run on scores.as_of_date = run.as_of
    where scores.target = 'net_revenue'
)

select * from scores
