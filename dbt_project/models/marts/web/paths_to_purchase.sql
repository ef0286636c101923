with visits as (
    select
        session_id,
        visitor_id,
        order_id,
        started_at,
        coalesce(campaign_medium, 'direct') as medium,
        -- A visit belongs to the next purchase of its device.
        min(case when order_id is not null then started_at end) over (
            partition by visitor_id
            order by started_at, session_id
            rows between current row and unbounded following
        ) as bought_at
    from {{ ref('fct_sessions') }}
    where not is_bot
),

purchases as (
    select
        visits.visitor_id,
        visits.started_at as bought_at,
        visits.session_id,
        orders.net_revenue_amount
    from visits
    inner join {{ ref('fct_orders') }} as orders on visits.order_id = orders.order_id
),

touches as (
    select
        purchases.session_id as purchase_id,
        purchases.net_revenue_amount,
        visits.session_id,
        visits.started_at,
        visits.medium,
        cast(
            {{ seconds_between('visits.started_at', 'purchases.bought_at') }} / 86400 as decimal(18, 6)
        ) as days_before,
        lag(visits.medium) over (
            partition by purchases.session_id order by visits.started_at, visits.session_id
        ) as previous_medium
    from purchases
    inner join visits
        on
            purchases.visitor_id = visits.visitor_id
            and purchases.bought_at = visits.bought_at
            and {{ seconds_between('visits.started_at', 'purchases.bought_at') }}
            <= 86400 * {{ var('path_days') }}
),

steps as (
    select
        *,
        case when medium is distinct from previous_medium then medium end as new_medium
    from touches
),

paths as (
    select
        purchase_id,
        min(net_revenue_amount) as net_revenue_amount,
        count(*) as visits_count,
        max(days_before) as path_days,
        {{ steps_in_order('new_medium', 'started_at, session_id') }} as path
    from steps
    group by purchase_id
)

select
    cast(path as varchar) as path,
    count(*) as orders_count,
    cast(sum(net_revenue_amount) as decimal(18, 4)) as net_revenue_amount,
    cast(sum(visits_count) as bigint) as visits_count,
    {{ ratio('sum(visits_count)', 'count(*)') }} as visits_per_order_mean,
    {{ ratio('sum(path_days)', 'count(*)') }} as path_mean_days
from paths
group by path
