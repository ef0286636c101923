with calibration as (
    select
        model_name,
        target,
        cast(horizon_days as integer) as horizon_days,
        cutoff_date,
        cast(decile as integer) as decile,
        customers_count,
        buyers_count,
        predicted_rate,
        actual_rate,
        actual_low_rate,
        actual_high_rate,
        coverage_rate,
        if_any_coverage_rate as if_buying_coverage_rate,
        at_zero_rate,
        mean_width,
        model_version,
        mlflow_run_id,
        trained_as_of
    from {{ source('ml', 'model_calibration') }}
)

select * from calibration
