with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

-- The map keeps records that no load mentions any more, such as those of one that was undone.
records as (
    select
        customer_map.source_system,
        customer_map.source_key,
        customer_map.customer_id,
        customer_map.strict_customer_id
    from {{ source('identity', 'customer_map') }} as customer_map
    inner join {{ ref('identity_records') }} as mentioned
        on
            customer_map.source_system = mentioned.source_system
            and customer_map.source_key = mentioned.source_key
    where customer_map.valid_to is null
),

profile_versions as (
    {{ with_validity(ref('customers_versions'), ['source_system', 'customer_key']) }}
),

profiles as (
    select
        versions.*,
        case
            when {{ business_date('versions.created_at', 'run.business_timezone') }} < run.as_of
                then versions.created_at
        end as known_created_at,
        concat_ws(
            ' ', versions.address_line_1, versions.postal_code, versions.city, versions.country_code
        ) as whole_address
    from profile_versions as versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }}
),

normalised as (
    {{ normalised_profiles('profiles') }}
),

-- A card that only purchases tell is a record without a profile; its key is the card.
cards as (
    select source_system, source_key, card_key
    from {{ ref('identity_profiles') }}
    where card_key = source_key
)

select
    records.customer_id,
    records.strict_customer_id,
    records.source_system,
    records.source_key,
    records.source_system || ':' || records.source_key as record_key,
    profiles.known_created_at as created_at,
    coalesce(profiles._version_at, profiles.known_created_at) as told_at,
    case
        when normalised.first_name is not null
            then coalesce(profiles.first_name, regexp_extract(profiles.full_name, '^(.*) [^ ]+$', 1))
    end as first_name,
    case
        when normalised.last_name is not null
            then coalesce(profiles.last_name, regexp_extract(profiles.full_name, '[^ ]+$'))
    end as last_name,
    case when normalised.email is not null then profiles.email end as email,
    case when normalised.mobile_phone is not null then profiles.mobile_phone end as mobile_phone,
    case when normalised.phone is not null then profiles.phone end as phone,
    normalised.birth_date,
    profiles.gender,
    profiles.language_code,
    profiles.address_line_1,
    profiles.postal_code,
    profiles.city,
    profiles.country_code,
    normalised.first_name as normalised_first_name,
    normalised.last_name as normalised_last_name,
    normalised.email as normalised_email,
    normalised.mobile_phone as normalised_mobile_phone,
    normalised.phone as normalised_phone,
    cast(normalised.birth_date as varchar) as normalised_birth_date,
    lower(profiles.gender) as normalised_gender,
    lower(profiles.language_code) as normalised_language_code,
    coalesce(normalised.house_key, {{ folded('profiles.whole_address') }}) as normalised_address,
    normalised.house_key,
    coalesce(normalised.card_key, cards.card_key) as card_key,
    normalised.visitor_key,
    normalised.device_key,
    normalised.social_handle
from records
left join profiles
    on records.source_system = profiles.source_system and records.source_key = profiles.customer_key
left join normalised
    on records.source_system = normalised.source_system and records.source_key = normalised.source_key
left join cards
    on records.source_system = cards.source_system and records.source_key = cards.source_key
