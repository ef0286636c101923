with days as (
    select
        customer_id,
        ordered_date,
        known_from_date,
        known_to_date,
        count(*) as orders_count,
        count(*) filter (where coupon_amount > 0) as coupon_orders_count,
        cast(sum(lines_count) as bigint) as lines_count,
        cast(sum(gross_amount) as decimal(18, 4)) as gross_amount,
        cast(sum(discount_amount) as decimal(18, 4)) as discount_amount,
        cast(sum(net_revenue_amount) as decimal(18, 4)) as net_revenue_amount
    from {{ ref('order_history') }}
    where customer_id <> 'unknown' and known_from_date < known_to_date
    group by customer_id, ordered_date, known_from_date, known_to_date
)

select * from days
