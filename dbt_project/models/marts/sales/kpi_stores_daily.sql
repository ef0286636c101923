with stores as (
    select store_id, store_name from {{ ref('dim_stores') }}
    where channel = 'store'
),

returned as (
    select
        lines.returned_date,
        orders.store_id,
        sum(lines.returned_amount) as returned_amount
    from {{ ref('fct_returns') }} as lines
    inner join {{ ref('fct_orders') }} as orders on lines.order_id = orders.order_id
    group by lines.returned_date, orders.store_id
),

sold as (
    select
        ordered_date,
        store_id,
        count(*) as orders_count,
        count(*) filter (where customer_id <> 'unknown') as identified_orders_count,
        count(distinct customer_id) filter (where customer_id <> 'unknown') as customers_count,
        sum(lines_count) as lines_count,
        sum(net_revenue_amount) as net_revenue_amount
    from {{ ref('fct_orders') }}
    group by ordered_date, store_id
),

days as (
    select ordered_date as business_date, store_id from sold
    union distinct
    select returned_date as business_date, store_id from returned
)

select
    days.business_date,
    stores.store_id,
    stores.store_name,
    cast(coalesce(sold.orders_count, 0) as bigint) as orders_count,
    cast(coalesce(sold.identified_orders_count, 0) as bigint) as identified_orders_count,
    {{ ratio('sold.identified_orders_count', 'sold.orders_count') }} as identification_rate,
    cast(coalesce(sold.customers_count, 0) as bigint) as customers_count,
    cast(coalesce(sold.lines_count, 0) as bigint) as lines_count,
    cast(coalesce(sold.net_revenue_amount, 0) as decimal(18, 4)) as net_revenue_amount,
    {{ ratio('sold.net_revenue_amount', 'sold.orders_count') }} as basket_mean_amount,
    cast(coalesce(returned.returned_amount, 0) as decimal(18, 4)) as returned_amount
from days
inner join stores on days.store_id = stores.store_id
left join sold on days.business_date = sold.ordered_date and days.store_id = sold.store_id
left join returned on days.business_date = returned.returned_date and days.store_id = returned.store_id
