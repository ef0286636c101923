with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('reviews_versions'), ['review_id']) }}
),

known as (
    select
        versions.*,
        {{ business_date('versions.reviewed_at', 'run.business_timezone') }} as reviewed_date
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }}
),

customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
)

select
    known.review_id,
    known.source_system,
    known.review_key,
    known.customer_system,
    known.customer_key,
    coalesce(customer_map.customer_id, 'unknown') as customer_id,
    coalesce(products.product_id, 'unknown') as product_id,
    known.order_id,
    known.reviewed_at,
    known.reviewed_date,
    known.rating,
    known.language_code,
    known.is_verified_purchase,
    known.review_status,
    known.helpful_count
from known
cross join run
left join {{ ref('dim_products') }} as products on known.product_id = products.product_id
left join customer_map
    on
        known.customer_system = customer_map.source_system
        and known.customer_key = customer_map.source_key
where known.reviewed_date < run.as_of
