with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(ref('product_prices_versions'), ['source_system', 'product_id', 'start_date']) }}
),

begun as (
    select versions.*
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }} and versions.start_date < run.as_of
)

select
    source_system,
    product_id,
    start_date,
    {{ add_days(
        'lead(start_date) over (partition by source_system, product_id order by start_date)', -1
    ) }} as end_date,
    cast(price_amount as decimal(18, 4)) as price_amount,
    cast(unit_cost_amount as decimal(18, 4)) as unit_cost_amount
from begun
