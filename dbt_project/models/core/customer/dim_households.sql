with households as (
    select
        households.household_id,
        households.first_customer_id,
        count(*) as members_count,
        sum(customers.records_count) as records_count
    from {{ ref('customer_households') }} as households
    inner join {{ ref('dim_customers') }} as customers on households.customer_id = customers.customer_id
    group by households.household_id, households.first_customer_id
),

-- More than one member has it.
held_together as (
    select
        households.household_id,
        identifiers.shared_type,
        identifiers.identifier_value
    from (
        select
            customer_id,
            replace(identifier_type, 'mobile_', '') as shared_type,
            identifier_value
        from {{ ref('customer_identifiers') }}
        where is_shared and not is_overshared
    ) as identifiers
    inner join {{ ref('customer_households') }} as households on identifiers.customer_id = households.customer_id
    group by households.household_id, identifiers.shared_type, identifiers.identifier_value
    having count(distinct identifiers.customer_id) > 1
),

shared as (
    select
        household_id,
        count(*) as shared_identifiers_count
    from held_together
    group by household_id
),

members as (
    select
        households.household_id,
        households.first_customer_id,
        customers.last_name,
        customers.postal_code,
        customers.city,
        customers.country_code,
        households.members_count,
        households.records_count,
        coalesce(shared.shared_identifiers_count, 0) as shared_identifiers_count
    from households
    inner join {{ ref('dim_customers') }} as customers on households.first_customer_id = customers.customer_id
    left join shared on households.household_id = shared.household_id

    union all

    select
        'unknown' as household_id,
        'unknown' as first_customer_id,
        null as last_name,
        null as postal_code,
        null as city,
        null as country_code,
        0 as members_count,
        0 as records_count,
        0 as shared_identifiers_count
)

select
    household_id,
    first_customer_id,
    last_name,
    postal_code,
    city,
    country_code,
    cast(members_count as bigint) as members_count,
    cast(records_count as bigint) as records_count,
    cast(shared_identifiers_count as bigint) as shared_identifiers_count
from members
