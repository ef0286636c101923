with run as (
    select as_of, business_timezone, reporting_currency from {{ source('moment', 'run') }}
),

versions as (
    {{ with_validity(
        ref('exchange_rates_versions'), ['source_system', 'rate_date', 'base_currency', 'quote_currency']
    ) }}
),

known as (
    select versions.*
    from versions
    cross join run
    where {{ is_valid_at('run.as_of', 'versions') }} and versions.rate_date < run.as_of
),

-- A rate from the reporting currency says as much as one to it, which goes before it.
rates as (
    select
        known.base_currency,
        known.rate_date,
        known.source_system,
        1 as preference,
        cast(known.exchange_rate as double) as exchange_rate
    from known
    cross join run
    where known.quote_currency = run.reporting_currency and known.base_currency <> run.reporting_currency
    union all
    select
        known.quote_currency as base_currency,
        known.rate_date,
        known.source_system,
        2 as preference,
        1 / cast(known.exchange_rate as double) as exchange_rate
    from known
    cross join run
    where known.base_currency = run.reporting_currency and known.quote_currency <> run.reporting_currency
),

ranked as (
    select
        *,
        row_number() over (
            partition by base_currency, rate_date order by preference, source_system
        ) as preference_rank
    from rates
)

select
    base_currency,
    rate_date as valid_from_date,
    lead(rate_date, 1, date '9999-12-31') over (
        partition by base_currency order by rate_date
    ) as valid_to_date,
    cast(exchange_rate as decimal(20, 10)) as exchange_rate
from ranked
where preference_rank = 1
