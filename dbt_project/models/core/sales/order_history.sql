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

header_versions as (
    select * from {{ ref('orders_versions') }}
    where {{ is_touched('order_id') }}
),

headers as (
    {{ with_validity('header_versions', ['order_id']) }}
),

line_sets as (
    select * from {{ ref('order_line_sets') }}
    where {{ is_touched('order_id') }}
),

-- An order changes where its header changes or is deleted, and where its lines do.
changes as (
    select order_id, known_from_date from headers
    union distinct
    select order_id, known_to_date as known_from_date from headers
    where known_to_date < date '9999-12-31'
    union distinct
    select order_id, known_from_date from line_sets
),

periods as (
    select
        order_id,
        known_from_date,
        lead(known_from_date, 1, date '9999-12-31') over (
            partition by order_id order by known_from_date
        ) as known_to_date
    from changes
),

-- The rows of the current map: the one place where an order meets its customer.
customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
),

orders as (
    select
        periods.order_id,
        headers.source_system,
        headers.order_key,
        headers.customer_key,
        coalesce(customer_map.customer_id, 'unknown') as customer_id,
        headers.store_id,
        headers.channel,
        line_sets._load_id as lines_load_id,
        headers.ordered_at,
        {{ business_date('headers.ordered_at', 'run.business_timezone') }} as ordered_date,
        headers.currency,
        coalesce(line_sets.lines_count, 0) as lines_count,
        coalesce(line_sets.quantity, 0) as quantity,
        coalesce(line_sets.gross_amount, 0) as gross_amount,
        coalesce(line_sets.discount_amount, 0) as discount_amount,
        coalesce(line_sets.net_revenue_amount, 0) as net_revenue_amount,
        coalesce(line_sets.coupon_amount, 0) as coupon_amount,
        periods.known_from_date,
        periods.known_to_date
    from periods
    cross join run
    inner join headers
        on
            periods.order_id = headers.order_id
            and periods.known_from_date >= headers.known_from_date
            and periods.known_from_date < headers.known_to_date
    left join line_sets
        on
            periods.order_id = line_sets.order_id
            and periods.known_from_date >= line_sets.known_from_date
            and periods.known_from_date < line_sets.known_to_date
    left join customer_map
        on
            headers.source_system = customer_map.source_system
            and headers.customer_key = customer_map.source_key
)

select
    order_id,
    source_system,
    order_key,
    customer_key,
    customer_id,
    store_id,
    channel,
    lines_load_id,
    ordered_at,
    ordered_date,
    currency,
    cast(lines_count as bigint) as lines_count,
    cast(quantity as decimal(18, 3)) as quantity,
    cast(gross_amount as decimal(18, 4)) as gross_amount,
    cast(discount_amount as decimal(18, 4)) as discount_amount,
    cast(net_revenue_amount as decimal(18, 4)) as net_revenue_amount,
    cast(coupon_amount as decimal(18, 4)) as coupon_amount,
    known_from_date,
    known_to_date
from orders
