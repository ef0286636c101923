{{ config(meta={'dagster': {'ref': {'name': 'model_deciles'}}}) }}
-- Each predictor has ten deciles at each cut-off; its customers and its totals are all in them.
with deciles as (
    select
        model_name,
        cutoff_date,
        predictor,
        count(*) as deciles_count,
        sum(customers_count) as customers_count,
        sum(predicted_total) as predicted_total,
        sum(actual_total) as actual_total
    from {{ ref('model_deciles') }}
    group by model_name, cutoff_date, predictor
),

performance as (
    select * from {{ ref('model_performance') }}
    where segment = 'all'
)

select deciles.*, performance.predictor as measured_predictor
from performance
full outer join deciles
    on
        performance.model_name = deciles.model_name
        and performance.cutoff_date = deciles.cutoff_date
        and performance.predictor = deciles.predictor
where
    deciles.deciles_count is distinct from 10
    or deciles.customers_count is distinct from performance.customers_count
    or deciles.predicted_total is distinct from performance.predicted_total
    or deciles.actual_total is distinct from performance.actual_total
