with sessions as (
    select
        session_id,
        visitor_id,
        started_at,
        coalesce(campaign_medium, 'direct') as medium,
        row_number() over (partition by visitor_id order by started_at, session_id) as place,
        -- An order that is shown once more in a later visit was placed in the first.
        case
            when row_number() over (partition by order_id order by started_at, session_id) = 1 then order_id
        end as order_id
    from {{ ref('fct_sessions') }}
    where not is_bot
),

-- A visit belongs to the next purchase of its device.
visits as (
    select
        *,
        min(case when order_id is not null then place end) over (
            partition by visitor_id
            order by place
            rows between current row and unbounded following
        ) as purchase_place
    from sessions
),

purchases as (
    select
        visits.visitor_id,
        visits.place,
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
            and purchases.place = visits.purchase_place
            and {{ seconds_between('visits.started_at', 'purchases.bought_at') }}
            <= 86400 * {{ var('path_days') }}
),

steps as (
    select
        *,
        case when previous_medium is null or medium <> previous_medium then medium end as new_medium
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
