with run as (
    select as_of from {{ source('moment', 'run') }}
),

-- The last day before the run's date may be cut short, so a window must end a day before it.
scores as (
    select scores.*, {{ add_days('scores.as_of_date', 'scores.horizon_days - 1') }} as last_date
    from {{ source('ml', 'scores') }} as scores
    inner join run
        on {{ add_days('scores.as_of_date', 'scores.horizon_days') }} <= {{ add_days('run.as_of', -1) }}
    where not scores.is_stale
),

days as (
    select customer_id, ordered_date, orders_count, net_revenue_amount
    from {{ ref('customer_days') }}
),

windows as (
    select
        scores.model_name,
        scores.as_of_date,
        scores.customer_id,
        sum(days.orders_count) as orders_count,
        sum(days.net_revenue_amount) as net_revenue_amount
    from scores
    inner join days
        on
            scores.customer_id = days.customer_id
            and days.ordered_date between scores.as_of_date and scores.last_date
    group by scores.model_name, scores.as_of_date, scores.customer_id
),

answers as (
    select
        scores.model_name,
        scores.target,
        scores.horizon_days,
        scores.as_of_date,
        cast(scores.predicted as decimal(18, 6)) as predicted,
        scores.low,
        scores.high,
        scores.predictor,
        scores.is_baseline,
        scores.model_version,
        coalesce(
            case scores.target
                when 'net_revenue' then windows.net_revenue_amount
                when 'orders' then windows.orders_count
                when 'any_order' then least(windows.orders_count, 1)
            end,
            0
        ) as actual
    from scores
    left join windows
        on
            scores.model_name = windows.model_name
            and scores.as_of_date = windows.as_of_date
            and scores.customer_id = windows.customer_id
),

realised as (
    select
        model_name,
        target,
        cast(horizon_days as integer) as horizon_days,
        as_of_date,
        count(*) as customers_count,
        cast(sum(predicted) as decimal(18, 2)) as predicted_total,
        cast(sum(actual) as decimal(18, 2)) as actual_total,
        {{ ratio('sum(predicted)', 'sum(actual)') }} as bias_ratio,
        {{ ratio(
            "count(*) filter (where low <= actual and actual <= high and target <> 'any_order')",
            "count(*) filter (where low <= high and target <> 'any_order')"
        ) }} as coverage_rate,
        predictor,
        is_baseline,
        model_version
    from answers
    group by model_name, target, horizon_days, as_of_date, predictor, is_baseline, model_version
)

select * from realised
