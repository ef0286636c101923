{{ config(materialized='view') }}

with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('coupons_versions'), ['coupon_id', 'campaign_id', 'product_id']) }}
),

coupon_products as (
    select
        versions.coupon_id,
        versions.campaign_id,
        versions.product_id
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }}
)

select * from coupon_products
