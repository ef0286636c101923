{{ config(meta={'dagster': {'ref': {'name': 'model_deciles'}}}) }}
-- Each predictor has ten deciles at each cut-off; its customers and its cents are all in them.
with deciles as (
    select
        model_name,
        horizon_days,
        cutoff_date,
        predictor,
        count(*) as deciles_count,
        sum(customers_count) as customers_count,
        sum(predicted_amount) as predicted_amount,
        sum(actual_amount) as actual_amount
    from {{ ref('model_deciles') }}
    group by model_name, horizon_days, cutoff_date, predictor
)

select deciles.*, performance.predictor as measured_predictor
from {{ ref('model_performance') }} as performance
full outer join deciles
    on
        performance.model_name = deciles.model_name
        and performance.horizon_days = deciles.horizon_days
        and performance.cutoff_date = deciles.cutoff_date
        and performance.predictor = deciles.predictor
where
    deciles.deciles_count is distinct from 10
    or deciles.customers_count is distinct from performance.customers_count
    or deciles.predicted_amount is distinct from performance.predicted_amount
    or deciles.actual_amount is distinct from performance.actual_amount
