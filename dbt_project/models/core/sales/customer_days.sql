{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook=["{{ list_touched(touched_customers()) }}", "{{ delete_touched('customer_id') }}"],
    post_hook="{{ keep_built_from() }}"
) }}

select
    customer_id,
    ordered_date,
    min(ordered_at) as first_ordered_at,
    count(*) as orders_count,
    cast(sum(gross_amount) as decimal(18, 4)) as gross_amount,
    cast(sum(discount_amount) as decimal(18, 4)) as discount_amount,
    cast(sum(net_revenue_amount) as decimal(18, 4)) as net_revenue_amount
from {{ ref('fct_orders') }}
where customer_id <> 'unknown' and {{ is_touched('customer_id') }}
group by customer_id, ordered_date
