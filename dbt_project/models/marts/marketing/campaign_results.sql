with run as (
    select as_of from {{ source('moment', 'run') }}
),

first_day as (
    select min(ordered_date) as first_ordered_date from {{ ref('fct_orders') }}
),

started_campaigns as (
    select
        campaigns.*,
        campaigns.end_date < run.as_of as is_over,
        least({{ add_days('campaigns.end_date', 1) }}, run.as_of) as window_end_date
    from {{ ref('dim_campaigns') }} as campaigns
    cross join run
    where campaigns.start_date < run.as_of
),

-- Both windows are as long as the part of the campaign that lies before the as-of date.
campaigns as (
    select
        started_campaigns.*,
        {{ days_between('start_date', 'window_end_date') }} as window_days
    from started_campaigns
),

windows as (
    select
        campaigns.*,
        {{ add_days('start_date', '-window_days') }} as before_start_date
    from campaigns
),

assigned as (
    select distinct campaign_id, customer_id
    from {{ ref('fct_campaign_assignments') }}
    where customer_id <> 'unknown'
),

assigned_counts as (
    select campaign_id, count(*) as assigned_customers_count
    from assigned
    group by campaign_id
),

redemptions as (
    select
        redemptions.campaign_id,
        count(*) as redemptions_count,
        count(distinct redemptions.customer_id) as redeeming_customers_count,
        count(distinct assigned.customer_id) as assigned_redeeming_customers_count
    from {{ ref('fct_coupon_redemptions') }} as redemptions
    left join assigned
        on
            redemptions.campaign_id = assigned.campaign_id
            and redemptions.customer_id = assigned.customer_id
    where redemptions.customer_id <> 'unknown'
    group by redemptions.campaign_id
),

assigned_orders as (
    select
        windows.campaign_id,
        orders.net_revenue_amount,
        orders.ordered_date >= windows.start_date as is_during
    from windows
    inner join assigned on windows.campaign_id = assigned.campaign_id
    inner join {{ ref('fct_orders') }} as orders
        on
            assigned.customer_id = orders.customer_id
            and windows.before_start_date <= orders.ordered_date
            and windows.window_end_date > orders.ordered_date
),

sales as (
    select
        campaign_id,
        count(*) filter (where is_during) as orders_count,
        sum(net_revenue_amount) filter (where is_during) as net_revenue_amount,
        count(*) filter (where not is_during) as orders_before_count,
        sum(net_revenue_amount) filter (where not is_during) as net_revenue_before_amount
    from assigned_orders
    group by campaign_id
),

results as (
    select
        windows.campaign_id,
        windows.campaign_name,
        windows.campaign_type,
        windows.start_date,
        windows.end_date,
        windows.window_days,
        coalesce(assigned_counts.assigned_customers_count, 0) as assigned_customers_count,
        coalesce(redemptions.redeeming_customers_count, 0) as redeeming_customers_count,
        coalesce(redemptions.assigned_redeeming_customers_count, 0) as assigned_redeeming_customers_count,
        coalesce(redemptions.redemptions_count, 0) as redemptions_count,
        coalesce(sales.orders_count, 0) as orders_count,
        coalesce(sales.net_revenue_amount, 0) as net_revenue_amount,
        coalesce(sales.orders_before_count, 0) as orders_before_count,
        coalesce(sales.net_revenue_before_amount, 0) as net_revenue_before_amount,
        coalesce(windows.is_over and first_day.first_ordered_date <= windows.before_start_date, false) as is_complete
    from windows
    cross join first_day
    left join assigned_counts on windows.campaign_id = assigned_counts.campaign_id
    left join redemptions on windows.campaign_id = redemptions.campaign_id
    left join sales on windows.campaign_id = sales.campaign_id
)

select
    campaign_id,
    campaign_name,
    campaign_type,
    start_date,
    end_date,
    cast(window_days as bigint) as window_days,
    cast(assigned_customers_count as bigint) as assigned_customers_count,
    cast(redeeming_customers_count as bigint) as redeeming_customers_count,
    cast(assigned_redeeming_customers_count as bigint) as assigned_redeeming_customers_count,
    {{ ratio('assigned_redeeming_customers_count', 'assigned_customers_count') }} as redemption_rate,
    cast(redemptions_count as bigint) as redemptions_count,
    cast(orders_count as bigint) as orders_count,
    cast(net_revenue_amount as decimal(18, 2)) as net_revenue_amount,
    cast(orders_before_count as bigint) as orders_before_count,
    cast(net_revenue_before_amount as decimal(18, 2)) as net_revenue_before_amount,
    is_complete
from results
