{% set horizons = var('horizons') %}

with run as (
    select as_of from {{ source('moment', 'run') }}
),

customers as (
    select customer_id, as_of_date from {{ ref('customer_as_of_features') }}
),

-- Each order is met once, in the longest horizon; the shorter ones are parts of it.
futures as (
    select
        customers.customer_id,
        customers.as_of_date,
        orders.net_revenue_amount,
        {{ days_between('customers.as_of_date', 'orders.ordered_date') }} as days_ahead
    from customers
    left join {{ ref('fct_orders') }} as orders
        on
            customers.customer_id = orders.customer_id
            and customers.as_of_date <= orders.ordered_date
            and orders.ordered_date < {{ add_days('customers.as_of_date', horizons | max) }}
),

sums as (
    select
        customer_id,
        as_of_date,
        min(days_ahead) as next_order_days
        {% for horizon in horizons %}
            ,
            sum(net_revenue_amount) filter (where days_ahead < {{ horizon }}) as net_revenue_{{ horizon }}d_amount,
            count(*) filter (where days_ahead < {{ horizon }}) as orders_{{ horizon }}d_count
        {% endfor %}
    from futures
    group by customer_id, as_of_date
),

outcomes as (
    {% for horizon in horizons %}
        select
            customer_id,
            as_of_date,
            {{ horizon }} as horizon_days,
            net_revenue_{{ horizon }}d_amount as net_revenue_amount,
            orders_{{ horizon }}d_count as orders_count,
            case when next_order_days < {{ horizon }} then next_order_days end as next_order_days
        from sums
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

-- The last day before the run's date may be cut short, so a horizon must end a day before it.
select
    outcomes.customer_id,
    outcomes.as_of_date,
    cast(outcomes.horizon_days as integer) as horizon_days,
    cast(coalesce(outcomes.net_revenue_amount, 0) as decimal(18, 2)) as net_revenue_amount,
    cast(coalesce(outcomes.orders_count, 0) as bigint) as orders_count,
    cast(outcomes.next_order_days as bigint) as next_order_days,
    {{ add_days('outcomes.as_of_date', 'outcomes.horizon_days') }}
    <= {{ add_days('run.as_of', -1) }} as is_closed
from outcomes
cross join run
