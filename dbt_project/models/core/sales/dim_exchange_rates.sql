with run as (
    select as_of, business_timezone from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(
        ref('exchange_rates_versions'), ['source_system', 'rate_date', 'base_currency', 'quote_currency']
    ) }}
),

told as (
    select versions.*
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }} and versions.rate_date < run.as_of
)

select
    source_system,
    base_currency,
    quote_currency,
    rate_date as start_date,
    {{ add_days(
        'lead(rate_date) over (partition by source_system, base_currency, quote_currency order by rate_date)', -1
    ) }} as end_date,
    cast(exchange_rate as decimal(20, 10)) as exchange_rate
from told
