with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('stores_versions'), ['store_id']) }}
),

stores as (
    select
        versions.store_id,
        versions.source_system,
        versions.store_key,
        versions.store_name,
        versions.channel
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }}
),

members as (
    select * from stores
    union all
    select
        'unknown' as store_id,
        'unknown' as source_system,
        'unknown' as store_key,
        null as store_name,
        'unknown' as channel
)

select * from members
