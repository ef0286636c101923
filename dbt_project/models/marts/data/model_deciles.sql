with deciles as (
    select
        model_name,
        target,
        cast(horizon_days as integer) as horizon_days,
        cutoff_date,
        predictor,
        is_model,
        cast(decile as integer) as decile,
        cast(customers_count as decimal(18, 1)) as customers_count,
        cast(predicted_total as decimal(18, 2)) as predicted_total,
        cast(actual_total as decimal(18, 2)) as actual_total,
        model_version,
        mlflow_run_id,
        trained_as_of
    from {{ source('ml', 'model_deciles') }}
)

select * from deciles
