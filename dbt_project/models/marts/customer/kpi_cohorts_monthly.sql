with cohorts as (
    select
        cohort_month_date,
        month_start_date,
        is_complete,
        {{ months_between('cohort_month_date', 'month_start_date') }} as months_since_first_count,
        count(*) as cohort_customers_count,
        count(*) filter (where is_active) as active_customers_count,
        sum(orders_count) as orders_count,
        sum(net_revenue_amount) as net_revenue_amount
    from {{ ref('customer_months') }}
    group by cohort_month_date, month_start_date, is_complete
),

cumulated_cohorts as (
    select
        cohorts.*,
        sum(net_revenue_amount) over (
            partition by cohort_month_date order by month_start_date
            rows between unbounded preceding and current row
        ) as cumulative_net_revenue_amount,
        is_complete and first_value(is_complete) over (
            partition by cohort_month_date order by month_start_date
        ) as is_cohort_complete
    from cohorts
)

select
    cohort_month_date,
    cast(months_since_first_count as bigint) as months_since_first_count,
    cast(cohort_customers_count as bigint) as cohort_customers_count,
    cast(active_customers_count as bigint) as active_customers_count,
    {{ ratio('active_customers_count', 'cohort_customers_count') }} as retention_rate,
    cast(orders_count as bigint) as orders_count,
    cast(net_revenue_amount as decimal(18, 2)) as net_revenue_amount,
    cast(cumulative_net_revenue_amount as decimal(18, 2)) as cumulative_net_revenue_amount,
    {{ ratio(
        'cumulative_net_revenue_amount', 'cohort_customers_count'
    ) }} as cumulative_net_revenue_per_customer_amount,
    is_cohort_complete as is_complete
from cumulated_cohorts
