{#-
    An amount in the reporting currency, NULL where no rate is known. The calling model has the CTE `run`
    with the reporting currency and joins the model exchange_rates as `rates`.
-#}
{% macro in_reporting_currency(amount, currency) %}
    cast(
        case
            when {{ amount }} = 0 or {{ currency }} = run.reporting_currency then {{ amount }}
            else {{ amount }} * rates.exchange_rate
        end as decimal(18, 4)
    )
{% endmacro %}

{#- Whether a rate is the one for a currency on a day. -#}
{% macro is_rate_of(currency, day) %}
    {{ currency }} = rates.base_currency
    and {{ day }} >= rates.valid_from_date
    and {{ day }} < rates.valid_to_date
{% endmacro %}
