{{ config(meta={'dagster': {'ref': {'name': 'customer_360'}}}) }}
-- Tiers add up to the total of each month, and totals and cohorts to the orders of known customers.
with tiers as (
    select
        'tiers' as source,
        count(*) as rows_count,
        sum(orders_count) as orders_count,
        sum(net_revenue_amount) as net_revenue_amount
    from {{ ref('kpi_customers_monthly') }}
    where value_tier <> 'total'
),

totals as (
    select
        'totals' as source,
        count(*) as rows_count,
        sum(orders_count) as orders_count,
        sum(net_revenue_amount) as net_revenue_amount
    from {{ ref('kpi_customers_monthly') }}
    where value_tier = 'total'
),

cohorts as (
    select
        'cohorts' as source,
        count(*) as rows_count,
        sum(orders_count) as orders_count,
        sum(net_revenue_amount) as net_revenue_amount
    from {{ ref('kpi_cohorts_monthly') }}
),

customers as (
    select
        'customer_360' as source,
        count(*) as rows_count,
        sum(orders_count) as orders_count,
        sum(net_revenue_amount) as net_revenue_amount
    from {{ ref('customer_360') }}
),

sums as (
    select * from tiers
    union all
    select * from totals
    union all
    select * from cohorts
    union all
    select * from customers
),

orders as (
    select
        count(*) as orders_count,
        sum(net_revenue_amount) as net_revenue_amount
    from {{ ref('fct_orders') }}
    where customer_id <> 'unknown'
)

-- Amounts are rounded to the cent in each row, so that sums may part by half a cent a row.
select sums.source, sums.orders_count, sums.net_revenue_amount
from sums
cross join orders
where
    coalesce(sums.orders_count, 0) <> orders.orders_count
    or abs(coalesce(sums.net_revenue_amount, 0) - coalesce(orders.net_revenue_amount, 0)) > 0.005 * sums.rows_count
