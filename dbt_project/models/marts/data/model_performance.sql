with performance as (
    select
        model_name,
        cast(horizon_days as integer) as horizon_days,
        cutoff_date,
        predictor,
        is_model,
        customers_count,
        cast(predicted_amount as decimal(18, 2)) as predicted_amount,
        cast(actual_amount as decimal(18, 2)) as actual_amount,
        ngini_rate,
        bias_rate,
        decile_error_rate,
        ngini_gain_rate,
        ngini_gain_low_rate,
        ngini_gain_high_rate,
        decile_error_gain_rate,
        decile_error_gain_low_rate,
        decile_error_gain_high_rate,
        model_version,
        mlflow_run_id,
        trained_as_of
    from {{ source('ml', 'model_performance') }}
)

select * from performance
