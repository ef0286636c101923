with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('products_versions'), ['product_id']) }}
),

products as (
    select
        versions.product_id,
        versions.source_system,
        versions.product_key,
        versions.product_name,
        versions.brand,
        versions.department,
        versions.category,
        versions.subcategory,
        versions.package_size,
        versions.manufacturer_key
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }}
),

members as (
    select * from products
    union all
    select
        'unknown' as product_id,
        'unknown' as source_system,
        'unknown' as product_key,
        null as product_name,
        null as brand,
        null as department,
        null as category,
        null as subcategory,
        null as package_size,
        null as manufacturer_key
)

select * from members
