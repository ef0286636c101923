with run as (
    select as_of from {{ source('moment', 'run') }}
),

horizons as (
    select horizons.horizon_days
    from (values ({{ var('horizons') | join('), (') }})) as horizons (horizon_days)
),

customers as (
    select customer_id, as_of_date from {{ ref('customer_as_of_features') }}
),

orders as (
    select customer_id, ordered_date, net_revenue_amount from {{ ref('fct_orders') }}
),

outcomes as (
    select
        customers.customer_id,
        customers.as_of_date,
        horizons.horizon_days,
        coalesce(sum(orders.net_revenue_amount), 0) as net_revenue_amount,
        count(orders.ordered_date) as orders_count
    from customers
    cross join horizons
    left join orders
        on
            customers.customer_id = orders.customer_id
            and customers.as_of_date <= orders.ordered_date
            and orders.ordered_date < {{ add_days('customers.as_of_date', 'horizons.horizon_days') }}
    group by customers.customer_id, customers.as_of_date, horizons.horizon_days
)

-- The last day before the run's date may be cut short, so a horizon must end a day before it.
select
    outcomes.customer_id,
    outcomes.as_of_date,
    cast(outcomes.horizon_days as integer) as horizon_days,
    cast(outcomes.net_revenue_amount as decimal(18, 2)) as net_revenue_amount,
    cast(outcomes.orders_count as bigint) as orders_count,
    {{ add_days('outcomes.as_of_date', 'outcomes.horizon_days') }}
    <= {{ add_days('run.as_of', -1) }} as is_closed
from outcomes
cross join run
