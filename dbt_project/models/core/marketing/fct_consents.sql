with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

-- Decisions count by their time and not by their day: who revokes an hour later has revoked.
decisions as (
    select
        versions.*,
        lead(versions._version_at) over (
            partition by versions.consent_id
            order by versions._version_at, versions._load_seq, versions._load_id, versions._row
        ) as next_at
    from {{ ref('consents_versions') }} as versions
    cross join run
    where {{ business_date('versions._version_at', 'run.business_timezone') }} < run.as_of
),

customer_map as (
    select source_system, source_key, customer_id
    from {{ source('identity', 'customer_map') }}
    where valid_to is null
)

select
    decisions.consent_id,
    decisions.source_system,
    decisions.customer_key,
    coalesce(customer_map.customer_id, 'unknown') as customer_id,
    decisions.contact_point,
    decisions.channel,
    decisions.purpose,
    decisions.consent_status,
    decisions.legal_basis,
    decisions.decided_at,
    decisions._version_at as held_from_at,
    case
        when decisions.next_at is null or decisions.expires_at < decisions.next_at then decisions.expires_at
        else decisions.next_at
    end as ended_at,
    decisions.consent_status = 'granted' as is_granted,
    decisions.next_at is null
    and coalesce(
        {{ business_date('decisions.expires_at', 'run.business_timezone') }} >= run.as_of, true
    ) as is_current
from decisions
cross join run
left join customer_map
    on
        decisions.source_system = customer_map.source_system
        and decisions.customer_key = customer_map.source_key
where
    not decisions._is_deleted
    and (decisions.next_at is null or decisions.next_at > decisions._version_at)
