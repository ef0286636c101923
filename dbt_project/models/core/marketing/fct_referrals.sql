with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('referrals_versions'), ['referral_id']) }}
),

known as (
    select
        versions.*,
        {{ business_date('versions.referred_at', 'run.business_timezone') }} as referred_date,
        -- A source that does not say when it changed a row tells of the order at every as-of date.
        coalesce(
            {{ business_date('versions.converted_at', 'run.business_timezone') }} < run.as_of, true
        ) as has_no_later_order
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
    known.referral_id,
    known.source_system,
    known.referral_key,
    known.referrer_customer_key,
    coalesce(referrers.customer_id, 'unknown') as referrer_customer_id,
    known.referred_customer_key,
    coalesce(referred.customer_id, 'unknown') as referred_customer_id,
    known.channel,
    case
        when known.has_no_later_order or known.referral_status in ('invited', 'registered')
            then known.referral_status
        else 'registered'
    end as referral_status,
    known.referred_at,
    known.referred_date,
    case when known.has_no_later_order then known.converted_at end as converted_at,
    case when known.has_no_later_order then cast(known.reward_amount as decimal(18, 4)) end as reward_amount
from known
cross join run
left join customer_map as referrers
    on
        known.source_system = referrers.source_system
        and known.referrer_customer_key = referrers.source_key
left join customer_map as referred
    on
        known.source_system = referred.source_system
        and known.referred_customer_key = referred.source_key
where known.referred_date < run.as_of
