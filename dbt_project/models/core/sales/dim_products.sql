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

unknown_member as (
    select
        'unknown' as product_id,
        'unknown' as source_system,
        'unknown' as product_key,
        cast(null as varchar) as product_name,
        cast(null as varchar) as brand,
        cast(null as varchar) as department,
        cast(null as varchar) as category,
        cast(null as varchar) as subcategory,
        cast(null as varchar) as package_size,
        cast(null as varchar) as manufacturer_key
),

members as (
    select * from products
    union all
    select * from unknown_member
)

select * from members
