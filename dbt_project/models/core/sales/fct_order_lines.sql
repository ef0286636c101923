{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook=["{{ list_touched(touched_order_lines()) }}", "{{ delete_touched('order_id') }}"],
    post_hook="{{ keep_built_from() }}"
) }}

with lines as (
    select * from {{ ref('order_lines_versions') }}
    where {{ is_touched('order_id') }}
),

orders as (
    select order_id, lines_load_id, customer_id, ordered_at, ordered_date
    from {{ ref('fct_orders') }}
    where {{ is_touched('order_id') }}
),

products as (
    select product_id from {{ ref('dim_products') }}
),

order_lines as (
    select
        lines.order_id,
        lines.line_number,
        orders.customer_id,
        coalesce(products.product_id, 'unknown') as product_id,
        products.product_id is not null as is_known_product,
        lines.quantity > 0 as has_quantity,
        lines.quantity,
        cast(lines.net_amount + lines.discount_amount as decimal(18, 4)) as gross_amount,
        lines.discount_amount,
        lines.net_amount as net_revenue_amount,
        lines.coupon_amount,
        orders.ordered_at,
        orders.ordered_date
    from lines
    inner join orders
        on lines.order_id = orders.order_id and lines._load_id = orders.lines_load_id
    left join products on lines.product_id = products.product_id
)

select * from order_lines
