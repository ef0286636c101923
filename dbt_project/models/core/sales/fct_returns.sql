with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

lines as (
    select * from {{ ref('returns_versions') }}
),

-- The newest delivery of a credit note replaces all its earlier lines.
deliveries as (
    select
        return_id,
        _load_id,
        _load_seq,
        max(_version_at) as _version_at,
        min(_row) as _row,
        false as _is_deleted
    from lines
    group by return_id, _load_id, _load_seq
),

dated_deliveries as (
    {{ with_validity('deliveries', ['return_id']) }}
),

products as (
    select product_id from {{ ref('dim_products') }}
),

customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
),

orders as (
    select order_id, customer_id from {{ ref('fct_orders') }}
),

-- A credit note that names nobody is of whoever bought.
return_lines as (
    select
        lines.return_id,
        lines.line_number,
        lines.order_id,
        coalesce(
            case when lines.customer_key is null then orders.customer_id else customer_map.customer_id end,
            'unknown'
        ) as customer_id,
        coalesce(products.product_id, 'unknown') as product_id,
        lines.returned_at,
        {{ business_date('lines.returned_at', 'run.business_timezone') }} as returned_date,
        lines.quantity,
        lines.net_amount as returned_amount,
        lines.currency,
        lines.reason
    from lines
    cross join run
    inner join dated_deliveries as deliveries
        on lines.return_id = deliveries.return_id and lines._load_id = deliveries._load_id
    left join products on lines.product_id = products.product_id
    left join customer_map
        on
            lines.source_system = customer_map.source_system
            and lines.customer_key = customer_map.source_key
    left join orders on lines.order_id = orders.order_id
    where {{ is_valid_at('run.as_of', 'deliveries') }}
)

select return_lines.*
from return_lines
cross join run
where return_lines.returned_date < run.as_of
