with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

records as (
    select * from {{ ref('customer_records') }}
),

customers as (
    select
        customer_id,
        min(record_key) as smallest_record_key,
        min_by(strict_customer_id, record_key) as strict_customer_id,
        count(distinct strict_customer_id) as strict_customers_count,
        count(*) as records_count,
        {{ ordered_list('source_system') }} as source_systems,
        min(created_at) as customer_created_at
    from records
    group by customer_id
),

golden as (
    select
        attributes.customer_id,
        {% for attribute in [
            'first_name', 'last_name', 'email', 'mobile_phone', 'phone', 'birth_date', 'gender', 'language_code',
            'address_line_1', 'postal_code', 'city', 'country_code'
        ] %}
            max(
                case when attributes.attribute = '{{ attribute }}' then records.{{ attribute }} end
            ) as {{ attribute }},
        {% endfor %}
        count(*) as attributes_count
    from {{ ref('customer_attributes') }} as attributes
    inner join records
        on attributes.customer_id = records.customer_id and attributes.source_record_key = records.record_key
    group by attributes.customer_id
),

enrichment_versions as (
    {{ with_validity(ref('enrichment_versions'), ['source_system', 'customer_key']) }}
),

-- Of the records of a customer, the one described last speaks for all.
enrichment as (
    select
        records.customer_id,
        versions.*,
        row_number() over (
            partition by records.customer_id
            order by versions._version_at desc nulls last, versions._load_seq desc, records.record_key asc
        ) as newest_rank
    from enrichment_versions as versions
    cross join run
    inner join records
        on
            versions.source_system = records.source_system
            and versions.customer_key = records.source_key
    where {{ is_valid_at('run.as_of', 'versions') }}
),

members as (
    select
        customers.customer_id,
        customers.strict_customer_id,
        households.household_id,
        customers.strict_customers_count,
        customers.smallest_record_key,
        customers.records_count,
        customers.source_systems,
        customers.customer_created_at,
        golden.first_name,
        golden.last_name,
        golden.email,
        golden.mobile_phone,
        golden.phone,
        golden.birth_date,
        golden.gender,
        golden.language_code,
        golden.address_line_1,
        golden.postal_code,
        golden.city,
        golden.country_code,
        enrichment.age_band,
        enrichment.income_band,
        enrichment.home_ownership,
        enrichment.marital_status,
        enrichment.household_size,
        enrichment.household_composition,
        enrichment.children_count
    from customers
    inner join {{ ref('customer_households') }} as households on customers.customer_id = households.customer_id
    left join golden on customers.customer_id = golden.customer_id
    left join enrichment
        on customers.customer_id = enrichment.customer_id and enrichment.newest_rank = 1

    union all

    select
        'unknown' as customer_id,
        'unknown' as strict_customer_id,
        'unknown' as household_id,
        0 as strict_customers_count,
        'unknown' as smallest_record_key,
        0 as records_count,
        '' as source_systems,
        null as customer_created_at,
        null as first_name,
        null as last_name,
        null as email,
        null as mobile_phone,
        null as phone,
        null as birth_date,
        null as gender,
        null as language_code,
        null as address_line_1,
        null as postal_code,
        null as city,
        null as country_code,
        null as age_band,
        null as income_band,
        null as home_ownership,
        null as marital_status,
        null as household_size,
        null as household_composition,
        null as children_count
)

select
    customer_id,
    strict_customer_id,
    household_id,
    cast(strict_customers_count as bigint) as strict_customers_count,
    smallest_record_key,
    cast(records_count as bigint) as records_count,
    source_systems,
    cast(customer_created_at as timestamp) as customer_created_at,
    first_name,
    last_name,
    email,
    mobile_phone,
    phone,
    cast(birth_date as date) as birth_date,
    gender,
    language_code,
    address_line_1,
    postal_code,
    city,
    country_code,
    age_band,
    income_band,
    home_ownership,
    marital_status,
    household_size,
    household_composition,
    children_count
from members
