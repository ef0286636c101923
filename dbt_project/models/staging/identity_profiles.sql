{{ config(materialized='table') }}

-- The newest version of each record speaks for it, whatever the as-of date: who is who is known now.
with versions as (
    select
        *,
        row_number() over (
            partition by source_system, customer_key
            order by _version_at desc nulls last, _load_seq desc, _load_id desc, _row desc
        ) as newest_rank
    from {{ ref('stg_customers') }}
),

newest as (
    select * from versions
    where newest_rank = 1 and not _is_deleted
),

normalised as (
    {{ normalised_profiles('newest') }}
),

held as (
    select distinct source_system, card_key from normalised
),

-- A purchase may tell the card alone: where profiles of its system hold that card, it is a record too.
cards as (
    select
        mentioned.source_system,
        mentioned.source_key
    from {{ ref('identity_records') }} as mentioned
    inner join held
        on mentioned.source_system = held.source_system and mentioned.source_key = held.card_key
    left join normalised
        on mentioned.source_system = normalised.source_system and mentioned.source_key = normalised.source_key
    where normalised.source_key is null
),

profiles as (
    select * from normalised
    union all
    select
        source_system,
        source_key,
        null as first_name,
        null as last_name,
        null as email,
        null as mobile_phone,
        null as phone,
        null as house_key,
        null as place,
        null as country_code,
        null as birth_date,
        source_key as card_key,
        null as visitor_key,
        null as device_key,
        null as social_handle
    from cards
)

select
    source_system,
    source_key,
    first_name,
    last_name,
    case
        when first_name <= last_name then first_name || ' ' || last_name
        else last_name || ' ' || first_name
    end as name_key,
    email,
    mobile_phone,
    phone,
    house_key,
    place,
    country_code,
    birth_date,
    card_key,
    visitor_key,
    device_key,
    social_handle
from profiles
