{%- set columns = {
    'email': 'normalised_email', 'mobile_phone': 'normalised_mobile_phone', 'phone': 'normalised_phone',
    'card': 'card_key', 'cookie': 'visitor_key', 'device': 'device_key', 'handle': 'social_handle'
} -%}

with told as (
    {% for identifier_type, column in columns.items() %}
        select
            customer_id,
            '{{ identifier_type }}' as identifier_type,
            '{{ identifier_type | replace('mobile_', '') }}' as shared_type,
            {{ column }} as identifier_value,
            coalesce(created_at, told_at) as first_told_at,
            told_at
        from {{ ref('customer_records') }}
        where {{ column }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

identifiers as (
    select
        customer_id,
        identifier_type,
        shared_type,
        identifier_value,
        count(*) as records_count,
        min(first_told_at) as first_seen_at,
        max(told_at) as last_seen_at
    from told
    group by customer_id, identifier_type, shared_type, identifier_value
),

-- A number is one line, whether a source calls it a mobile or not.
holders as (
    select
        shared_type,
        identifier_value,
        count(distinct customer_id) as customers_count
    from identifiers
    group by shared_type, identifier_value
)

select
    identifiers.customer_id,
    identifiers.identifier_type,
    identifiers.identifier_value,
    phone_kinds.phone_kind,
    identifiers.records_count,
    identifiers.first_seen_at,
    identifiers.last_seen_at,
    holders.customers_count,
    holders.customers_count > 1 as is_shared,
    holders.customers_count > {{ var('identifier_shared_by_at_most') }} as is_overshared
from identifiers
inner join holders
    on
        identifiers.shared_type = holders.shared_type
        and identifiers.identifier_value = holders.identifier_value
left join {{ source('identity', 'phone_kinds') }} as phone_kinds
    on identifiers.shared_type = 'phone' and md5(identifiers.identifier_value) = phone_kinds.phone_hash
