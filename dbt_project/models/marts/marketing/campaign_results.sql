with run as (
    select as_of from {{ source('moment', 'run') }}
),

first_day as (
    select min(ordered_date) as first_ordered_date from {{ ref('fct_orders') }}
),

-- Both windows hold the days of the campaign that lie before the as-of date.
campaigns as (
    select
        campaigns.*,
        campaigns.end_date < run.as_of as is_over,
        least({{ add_days('campaigns.end_date', 1) }}, run.as_of) as window_end_date,
        {{ days_between('campaigns.start_date', 'least(' ~ add_days('campaigns.end_date', 1) ~ ', run.as_of)') }} as window_days
    from {{ ref('dim_campaigns') }} as campaigns
    cross join run
    where campaigns.start_date < run.as_of
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

orders as (
    select customer_id, ordered_date, net_revenue_amount
    from {{ ref('fct_orders') }}
),

sales as (
    select
        campaigns.campaign_id,
        count(*) filter (where campaigns.start_date <= orders.ordered_date) as orders_count,
        sum(orders.net_revenue_amount) filter (where campaigns.start_date <= orders.ordered_date) as net_revenue_amount,
        count(*) filter (where orders.ordered_date < campaigns.start_date) as orders_before_count,
        sum(orders.net_revenue_amount) filter (where orders.ordered_date < campaigns.start_date) as net_revenue_before_amount
    from campaigns
    inner join assigned on campaigns.campaign_id = assigned.campaign_id
    inner join orders
        on
            assigned.customer_id = orders.customer_id
            and {{ add_days('campaigns.start_date', '-campaigns.window_days') }} <= orders.ordered_date
            and orders.ordered_date < campaigns.window_end_date
    group by campaigns.campaign_id
),

results as (
    select
        campaigns.campaign_id,
        campaigns.campaign_name,
        campaigns.campaign_type,
        campaigns.start_date,
        campaigns.end_date,
        campaigns.window_days,
        coalesce(assigned_counts.assigned_customers_count, 0) as assigned_customers_count,
        coalesce(redemptions.redeeming_customers_count, 0) as redeeming_customers_count,
        coalesce(redemptions.assigned_redeeming_customers_count, 0) as assigned_redeeming_customers_count,
        coalesce(redemptions.redemptions_count, 0) as redemptions_count,
        coalesce(sales.orders_count, 0) as orders_count,
        coalesce(sales.net_revenue_amount, 0) as net_revenue_amount,
        coalesce(sales.orders_before_count, 0) as orders_before_count,
        coalesce(sales.net_revenue_before_amount, 0) as net_revenue_before_amount,
        campaigns.is_over
        and first_day.first_ordered_date
        <= {{ add_days('campaigns.start_date', '-campaigns.window_days') }} as is_complete
    from campaigns
    cross join first_day
    left join assigned_counts on campaigns.campaign_id = assigned_counts.campaign_id
    left join redemptions on campaigns.campaign_id = redemptions.campaign_id
    left join sales on campaigns.campaign_id = sales.campaign_id
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
