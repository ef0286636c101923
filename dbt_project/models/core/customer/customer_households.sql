-- Who lives in one house under one surname is a household; who tells no house or surname joins the one
-- household with which an identifier is shared; everyone else is alone.
with customers as (
    select
        customer_id,
        min(created_at) as created_at,
        min(record_key) as smallest_record_key
    from {{ ref('customer_records') }}
    group by customer_id
),

houses as (
    select
        attributes.customer_id,
        records.house_key
    from {{ ref('customer_attributes') }} as attributes
    inner join {{ ref('customer_records') }} as records
        on attributes.customer_id = records.customer_id and attributes.source_record_key = records.record_key
    where attributes.attribute = 'address_line_1' and records.house_key is not null
),

surnames as (
    select customer_id, normalised_value as surname
    from {{ ref('customer_attributes') }}
    where attribute = 'last_name'
),

shared as (
    select distinct
        customer_id,
        replace(identifier_type, 'mobile_', '') as shared_type,
        identifier_value
    from {{ ref('customer_identifiers') }}
    where is_shared and not is_overshared and identifier_type in ('email', 'mobile_phone', 'phone', 'card')
),

named as (
    select
        houses.customer_id,
        houses.house_key,
        houses.house_key || ' ' || surnames.surname as family_key,
        count(*) over (partition by houses.house_key, surnames.surname) as members_count
    from houses
    inner join surnames on houses.customer_id = surnames.customer_id
),

families as (
    select * from named
    where members_count <= {{ var('household_members_at_most') }}
),

-- Two surnames in one house are one household where they share an identifier. Three steps reach every
-- family of a house with up to four, without going round and round.
tied as (
    select distinct
        families.family_key,
        others.family_key as other_key
    from families
    inner join shared on families.customer_id = shared.customer_id
    inner join shared as shared_too
        on shared.shared_type = shared_too.shared_type and shared.identifier_value = shared_too.identifier_value
    inner join families as others
        on shared_too.customer_id = others.customer_id and families.house_key = others.house_key
),

step_1 as (
    select
        family_key,
        min(other_key) as first_key
    from tied
    group by family_key
),

{% for step in [2, 3] %}
    step_{{ step }} as (
        select
            tied.family_key,
            min(reached.first_key) as first_key
        from tied
        inner join step_{{ step - 1 }} as reached on tied.other_key = reached.family_key
        group by tied.family_key
    ),
{% endfor %}

housed as (
    select
        families.customer_id,
        coalesce(step_3.first_key, families.family_key) as household_key
    from families
    left join step_3 on families.family_key = step_3.family_key
),

joined as (
    select
        shared.customer_id,
        min(housed.household_key) as household_key
    from shared
    inner join shared as others
        on shared.shared_type = others.shared_type and shared.identifier_value = others.identifier_value
    inner join housed on others.customer_id = housed.customer_id
    left join named on shared.customer_id = named.customer_id
    where named.customer_id is null
    group by shared.customer_id
    having count(distinct housed.household_key) = 1
),

placed as (
    select
        customers.customer_id,
        customers.created_at,
        customers.smallest_record_key,
        coalesce(housed.household_key, joined.household_key) as household_key
    from customers
    left join housed on customers.customer_id = housed.customer_id
    left join joined on customers.customer_id = joined.customer_id
)

-- The first of a household was known first, so that who joins it later does not rename it.
select
    customer_id,
    'h' || first_customer_id as household_id,
    first_customer_id
from (
    select
        customer_id,
        case
            when household_key is null then customer_id
            else first_value(customer_id) over (
                partition by household_key
                order by created_at asc nulls last, smallest_record_key asc
            )
        end as first_customer_id
    from placed
) as households
