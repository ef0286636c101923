with run as (
    select as_of from {{ source('moment', 'run') }}
),

scores as (
    select
        scores.customer_id,
        scores.as_of_date,
        cast(scores.horizon_days as integer) as horizon_days,
        cast(scores.predicted_net_revenue_amount as decimal(18, 2)) as predicted_net_revenue_amount,
        scores.model_name,
        scores.predictor,
        scores.model_version,
        scores.mlflow_run_id,
        scores.is_baseline,
        scores.is_stale
    from {{ source('ml', 'value_scores') }} as scores
    inner join run on scores.as_of_date = run.as_of
)

select * from scores
