{{ config(materialized='table') }}

with mentions as (
    {% for entity in ['customers', 'orders', 'returns', 'campaign_assignments', 'coupon_redemptions', 'enrichment'] %}
        select source_system, customer_key as source_key from {{ ref('stg_' ~ entity) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

records as (
    select distinct source_system, source_key
    from mentions
    where source_key is not null
)

select * from records
