with run as (
    select as_of from {{ source('moment', 'run') }}
),

first_day as (
    select min(ordered_date) as first_ordered_date from {{ ref('fct_orders') }}
),

days as (
    select
        *,
        cast(date_trunc('month', ordered_date) as date) as month_start_date
    from {{ ref('customer_days') }}
),

customers as (
    select
        days.customer_id,
        min(customers.smallest_record_key) as smallest_record_key,
        min(days.first_ordered_at) as first_ordered_at,
        min(days.month_start_date) as cohort_month_date
    from days
    inner join {{ ref('dim_customers') }} as customers on days.customer_id = customers.customer_id
    group by days.customer_id
),

bounds as (
    select
        min(customers.cohort_month_date) as first_month,
        max(cast(date_trunc('month', {{ add_days('run.as_of', -1) }}) as date)) as last_month
    from customers
    cross join run
),

months as (
    select {{ month_spine('first_month', 'last_month') }} as month_start_date
    from bounds
),

customer_months as (
    select customers.*, months.month_start_date
    from customers
    inner join months on customers.cohort_month_date <= months.month_start_date
),

activity as (
    select
        customer_id,
        month_start_date,
        sum(orders_count) as orders_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_revenue_amount) as net_revenue_amount
    from days
    group by customer_id, month_start_date
),

next_days as (
    select
        customer_id,
        {{ add_days('ordered_date', var('lost_after_days')) }} as lost_date,
        lead(ordered_date) over (partition by customer_id order by ordered_date) as next_ordered_date
    from days
),

losses as (
    select
        next_days.customer_id,
        cast(date_trunc('month', next_days.lost_date) as date) as month_start_date
    from next_days
    cross join run
    where
        next_days.lost_date < run.as_of
        and (next_days.next_ordered_date is null or next_days.lost_date < next_days.next_ordered_date)
),

previous_years as (
    select
        days.customer_id,
        months.month_start_date,
        sum(days.net_revenue_amount) as net_revenue_365d_amount
    from days
    inner join months
        on
            {{ add_days('months.month_start_date', -365) }} <= days.ordered_date
            and days.ordered_date < months.month_start_date
    group by days.customer_id, months.month_start_date
),

ranks as (
    select
        previous_years.customer_id,
        previous_years.month_start_date,
        row_number() over (
            partition by previous_years.month_start_date
            order by
                previous_years.net_revenue_365d_amount desc,
                customers.first_ordered_at asc,
                customers.smallest_record_key asc
        ) as revenue_rank,
        count(*) over (partition by previous_years.month_start_date) as ranked_count
    from previous_years
    inner join customers on previous_years.customer_id = customers.customer_id
),

described_months as (
    select
        customer_months.customer_id,
        customer_months.month_start_date,
        customer_months.cohort_month_date,
        {{ value_tier('ranks.revenue_rank', 'ranks.ranked_count') }} as value_tier,
        coalesce(activity.orders_count, 0) as orders_count,
        coalesce(activity.gross_amount, 0) as gross_amount,
        coalesce(activity.discount_amount, 0) as discount_amount,
        coalesce(activity.net_revenue_amount, 0) as net_revenue_amount,
        activity.customer_id is not null as is_active,
        lag(activity.customer_id is not null, 1, false) over (
            partition by customer_months.customer_id order by customer_months.month_start_date
        ) as was_active_previous_month,
        losses.customer_id is not null as is_lost,
        first_day.first_ordered_date <= customer_months.month_start_date
        and {{ add_months('customer_months.month_start_date', 1) }} <= run.as_of as is_complete
    from customer_months
    cross join run
    cross join first_day
    left join activity
        on
            customer_months.customer_id = activity.customer_id
            and customer_months.month_start_date = activity.month_start_date
    left join losses
        on
            customer_months.customer_id = losses.customer_id
            and customer_months.month_start_date = losses.month_start_date
    left join ranks
        on
            customer_months.customer_id = ranks.customer_id
            and customer_months.month_start_date = ranks.month_start_date
)

select
    customer_id,
    month_start_date,
    cohort_month_date,
    value_tier,
    cast(orders_count as bigint) as orders_count,
    cast(gross_amount as decimal(18, 4)) as gross_amount,
    cast(discount_amount as decimal(18, 4)) as discount_amount,
    cast(net_revenue_amount as decimal(18, 4)) as net_revenue_amount,
    is_active,
    was_active_previous_month,
    is_active and month_start_date = cohort_month_date as is_new,
    is_active and was_active_previous_month as is_retained,
    is_active and not was_active_previous_month and month_start_date <> cohort_month_date as is_reactivated,
    is_lost,
    is_complete
from described_months
