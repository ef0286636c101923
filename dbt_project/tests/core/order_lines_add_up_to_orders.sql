-- No line is lost or counted twice between the two facts, and no amount of one order moves to another.
with lines as (
    select
        count(*) as lines_count,
        sum(quantity) as quantity,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(coupon_amount) as coupon_amount
    from {{ ref('fct_order_lines') }}
),

orders as (
    select
        sum(lines_count) as lines_count,
        sum(quantity) as quantity,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(coupon_amount) as coupon_amount
    from {{ ref('fct_orders') }}
)

select * from lines
except
select * from orders
