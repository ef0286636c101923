{{ config(materialized='table') }}

-- A cookie without a name is no record yet: what it did is kept under the visitor of its visits.
with mentions as (
    {% for entity in [
        'customers', 'orders', 'returns', 'campaign_assignments', 'coupon_redemptions', 'enrichment', 'consents',
        'messages', 'interactions', 'social_activity'
    ] %}
        select source_system, customer_key as source_key from {{ ref('stg_' ~ entity) }}
        union all
    {% endfor %}
    {% for entity in ['web_events', 'reviews'] %}
        select customer_system as source_system, customer_key as source_key from {{ ref('stg_' ~ entity) }}
        union all
    {% endfor %}
    {% for column in ['referrer_customer_key', 'referred_customer_key'] %}
        select source_system, {{ column }} as source_key from {{ ref('stg_referrals') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

records as (
    select distinct source_system, source_key
    from mentions
    where source_key is not null
)

select * from records
