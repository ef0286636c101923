{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook=["{{ list_touched(loaded_orders()) }}", "{{ delete_touched('order_id') }}"],
    post_hook="{{ keep_built_from() }}"
) }}

with run as (
    select business_timezone from {{ source('moment', 'run') }}
),

line_sets as (
    select
        order_id,
        _load_id,
        _load_seq,
        max(_version_at) as _version_at,
        min(_row) as _row,
        -- Lines go with their order, never on their own.
        false as _is_deleted,
        count(*) as lines_count,
        sum(quantity) as quantity,
        sum(net_amount + discount_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as net_revenue_amount,
        sum(coupon_amount) as coupon_amount
    from {{ ref('order_lines_versions') }}
    where {{ is_touched('order_id') }}
    group by order_id, _load_id, _load_seq
),

dated_line_sets as (
    {{ with_validity('line_sets', ['order_id']) }}
)

select * from dated_line_sets
