{{ config(meta={'dagster': {'ref': {'name': 'fct_order_lines'}}}) }}
-- No line and no amount is lost, or counted twice, between the two facts.
with facts as (
    select 1 as lines_count, quantity, gross_amount, discount_amount, net_revenue_amount, coupon_amount
    from {{ ref('fct_order_lines') }}
    union all
    select -lines_count, -quantity, -gross_amount, -discount_amount, -net_revenue_amount, -coupon_amount
    from {{ ref('fct_orders') }}
),

differences as (
    select
        sum(lines_count) as lines_count,
        sum(quantity) as quantity,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(coupon_amount) as coupon_amount
    from facts
)

select * from differences
where
    lines_count <> 0 or quantity <> 0 or gross_amount <> 0
    or discount_amount <> 0 or net_revenue_amount <> 0 or coupon_amount <> 0
