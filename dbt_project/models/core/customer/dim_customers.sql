with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

-- The map keeps records that no load mentions any more, such as those of one that was undone.
records as (
    select
        customer_map.source_system,
        customer_map.source_key,
        customer_map.customer_id,
        customer_map.strict_customer_id,
        customer_map.source_system || ':' || customer_map.source_key as record_key
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
        versions.source_system,
        versions.customer_key,
        versions.created_at
    from profile_versions as versions
    cross join run
    where
        {{ is_valid_at('run.as_of', 'versions') }}
        and {{ business_date('versions.created_at', 'run.business_timezone') }} < run.as_of
),

customers as (
    select
        records.customer_id,
        min(records.record_key) as smallest_record_key,
        min_by(records.strict_customer_id, records.record_key) as strict_customer_id,
        count(distinct records.strict_customer_id) as strict_customers_count,
        count(*) as records_count,
        {{ ordered_list('records.source_system') }} as source_systems,
        min(profiles.created_at) as customer_created_at
    from records
    left join profiles
        on
            records.source_system = profiles.source_system
            and records.source_key = profiles.customer_key
    group by records.customer_id
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
        customers.strict_customers_count,
        customers.smallest_record_key,
        customers.records_count,
        customers.source_systems,
        customers.customer_created_at,
        enrichment.age_band,
        enrichment.income_band,
        enrichment.home_ownership,
        enrichment.marital_status,
        enrichment.household_size,
        enrichment.household_composition,
        enrichment.children_count
    from customers
    left join enrichment
        on customers.customer_id = enrichment.customer_id and enrichment.newest_rank = 1

    union all

    select
        'unknown' as customer_id,
        'unknown' as strict_customer_id,
        0 as strict_customers_count,
        'unknown' as smallest_record_key,
        0 as records_count,
        '' as source_systems,
        null as customer_created_at,
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
    cast(strict_customers_count as bigint) as strict_customers_count,
    smallest_record_key,
    cast(records_count as bigint) as records_count,
    source_systems,
    cast(customer_created_at as timestamp) as customer_created_at,
    age_band,
    income_band,
    home_ownership,
    marital_status,
    household_size,
    household_composition,
    children_count
from members
