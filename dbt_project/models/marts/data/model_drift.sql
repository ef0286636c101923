with drift as (
    select
        model_name,
        target,
        cast(horizon_days as integer) as horizon_days,
        as_of_date,
        subject,
        is_score,
        stability_index,
        coalesce(stability_index > 0.25, false) as is_drifting,
        model_version
    from {{ source('ml', 'model_drift') }}
)

select * from drift
