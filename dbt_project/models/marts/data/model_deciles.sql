with deciles as (
    select
        model_name,
        cast(horizon_days as integer) as horizon_days,
        cutoff_date,
        predictor,
        is_model,
        cast(decile as integer) as decile,
        cast(customers_count as decimal(18, 1)) as customers_count,
        cast(predicted_amount as decimal(18, 2)) as predicted_amount,
        cast(actual_amount as decimal(18, 2)) as actual_amount,
        model_version,
        mlflow_run_id,
        trained_as_of
    from {{ source('ml', 'model_deciles') }}
)

select * from deciles
