{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook=["{{ list_touched(touched_orders()) }}", "{{ delete_touched('order_id') }}"],
    post_hook="{{ keep_built_from() }}"
) }}

with run as (
    select as_of from {{ source('moment', 'run') }}
),

history as (
    select * from {{ ref('order_history') }}
    where {{ is_touched('order_id') }}
),

stores as (
    select store_id, channel from {{ ref('dim_stores') }}
),

quarantined as (
    select distinct
        source_system,
        trim(parent_key) as order_key,
        load_id
    from {{ source('ledger', 'quarantined_rows') }}
    where entity = 'order_lines'
),

-- A refused line marks the order as long as its delivery is the one in force, or none is.
incomplete_orders as (
    select distinct history.order_id
    from history
    cross join run
    inner join quarantined
        on
            history.source_system = quarantined.source_system
            and history.order_key = quarantined.order_key
            and coalesce(history.lines_load_id, quarantined.load_id) = quarantined.load_id
    where {{ is_valid_at('run.as_of', 'history') }}
),

orders as (
    select
        history.order_id,
        history.source_system,
        history.order_key,
        history.customer_key,
        history.customer_id,
        coalesce(stores.store_id, 'unknown') as store_id,
        coalesce(history.channel, stores.channel, 'unknown') as channel,
        history.ordered_at,
        history.ordered_date,
        history.currency,
        history.lines_count,
        history.quantity,
        history.gross_amount,
        history.discount_amount,
        history.net_revenue_amount,
        history.coupon_amount,
        history.lines_load_id,
        incomplete_orders.order_id is not null as has_quarantined_lines
    from history
    cross join run
    left join stores on history.store_id = stores.store_id
    left join incomplete_orders on history.order_id = incomplete_orders.order_id
    where {{ is_valid_at('run.as_of', 'history') }} and history.ordered_date < run.as_of
)

select * from orders
