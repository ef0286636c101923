-- The last decision on each permission. One that ran out, or that its system no longer names, permits no more.
with decisions as (
    select
        *,
        row_number() over (partition by consent_id order by held_from_at desc) as newest_rank
    from {{ ref('fct_consents') }}
),

states as (
    select
        customer_id,
        source_system || ':' || coalesce(customer_key, consent_id) as record_key,
        coalesce(
            {{ mailbox('contact_point') }},
            case when channel in ('sms', 'whatsapp', 'phone', 'all') then {{ last_digits('contact_point') }} end
        ) as contact,
        channel,
        purpose,
        case when is_current or consent_status <> 'granted' then consent_status else 'expired' end as consent_status,
        decided_at
    from decisions
    where newest_rank = 1
),

holders as (
    select
        customer_id,
        case
            when identifier_type = 'email' then identifier_value else {{ last_digits('identifier_value') }}
        end as contact,
        is_shared
    from {{ ref('customer_identifiers') }}
    where identifier_type in ('email', 'mobile_phone', 'phone')
),

-- What is refused at an address holds for everybody who has it. What is granted there is granted by the
-- one who said so, or where nobody is named, by the only one who has it.
told as (
    select
        customer_id,
        coalesce(contact, record_key) as identifier,
        channel,
        purpose,
        consent_status,
        decided_at
    from states
    where customer_id <> 'unknown'
    union all
    select
        holders.customer_id,
        states.contact as identifier,
        states.channel,
        states.purpose,
        states.consent_status,
        states.decided_at
    from states
    inner join holders on states.contact = holders.contact
    where
        states.customer_id <> holders.customer_id
        and (states.consent_status <> 'granted' or (states.customer_id = 'unknown' and not holders.is_shared))
),

asked as (
    select distinct
        customer_id,
        channel,
        purpose
    from told
),

-- The lower the stricter.
ranked as (
    select
        asked.customer_id,
        asked.channel,
        asked.purpose,
        told.identifier,
        told.consent_status,
        told.decided_at,
        case told.consent_status
            when 'revoked' then 1
            when 'denied' then 2
            when 'expired' then 3
            when 'pending' then 4
            else 6
        end as leniency
    from asked
    inner join told
        on
            asked.customer_id = told.customer_id
            and asked.purpose = told.purpose
            and (asked.channel = told.channel or told.channel = 'all')
),

identifiers as (
    select
        customer_id,
        channel,
        purpose,
        identifier,
        min_by(consent_status, leniency) as consent_status,
        min(leniency) as leniency,
        max(decided_at) as decided_at
    from ranked
    group by customer_id, channel, purpose, identifier
),

-- Where the records of a customer can be reached. What one of them grants is no word for where another is.
reachable as (
    select
        customer_id,
        record_key,
        normalised_email as contact,
        true as is_email
    from {{ ref('customer_records') }}
    where normalised_email is not null
    {% for number in ['normalised_mobile_phone', 'normalised_phone'] %}
        union all
        select
            customer_id,
            record_key,
            {{ last_digits(number) }} as contact,
            false as is_email
        from {{ ref('customer_records') }}
        where {{ number }} is not null
    {% endfor %}
),

unasked as (
    select
        asked.customer_id,
        asked.channel,
        asked.purpose,
        reachable.contact
    from asked
    inner join reachable
        on
            asked.customer_id = reachable.customer_id
            and reachable.is_email = (asked.channel = 'email')
    left join identifiers
        on
            asked.customer_id = identifiers.customer_id
            and asked.channel = identifiers.channel
            and asked.purpose = identifiers.purpose
            and (reachable.contact = identifiers.identifier or reachable.record_key = identifiers.identifier)
    where asked.channel in ('email', 'sms', 'whatsapp', 'phone')
    group by asked.customer_id, asked.channel, asked.purpose, reachable.contact
    having count(identifiers.identifier) = 0
),

held as (
    select
        customer_id,
        channel,
        purpose,
        consent_status,
        leniency,
        decided_at
    from identifiers
    union all
    select
        customer_id,
        channel,
        purpose,
        'unasked' as consent_status,
        5 as leniency,
        cast(null as timestamp) as decided_at
    from unasked
),

customers as (
    select
        customer_id,
        channel,
        purpose,
        min_by(consent_status, leniency) as consent_status,
        count(*) as identifiers_count,
        sum(case when consent_status = 'granted' then 1 else 0 end) as granted_count,
        max(decided_at) as last_decided_at
    from held
    group by customer_id, channel, purpose
)

select
    customer_id,
    channel,
    purpose,
    consent_status,
    consent_status = 'granted' as is_granted,
    identifiers_count,
    cast(granted_count as bigint) as granted_count,
    last_decided_at
from customers
