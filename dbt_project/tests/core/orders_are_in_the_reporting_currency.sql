{{ config(meta={'dagster': {'ref': {'name': 'fct_orders'}}}) }}
-- Amounts of other currencies are refused: nothing converts them, and two currencies are never added.
select orders.order_id, orders.currency, run.reporting_currency
from {{ ref('fct_orders') }} as orders
cross join {{ source('moment', 'run') }} as run
where orders.currency <> run.reporting_currency
