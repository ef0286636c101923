-- A step counts whoever came to it or beyond, so that no step is larger than the one before.
with steps as (
    select
        started_date,
        coalesce(channel, 'unknown') as channel,
        case
            when orders_count > 0 then 4
            when checkouts_count > 0 then 3
            when products_added_count > 0 then 2
            when products_viewed_count > 0 then 1
            else 0
        end as furthest_step
    from {{ ref('fct_sessions') }}
    where not is_bot
),

sums as (
    select
        started_date,
        channel,
        count(*) as sessions_count,
        count(*) filter (where furthest_step >= 1) as viewing_sessions_count,
        count(*) filter (where furthest_step >= 2) as adding_sessions_count,
        count(*) filter (where furthest_step >= 3) as checkout_sessions_count,
        count(*) filter (where furthest_step >= 4) as buying_sessions_count
    from steps
    group by started_date, channel
)

select
    started_date,
    cast(channel as varchar) as channel,
    sessions_count,
    viewing_sessions_count,
    {{ ratio('viewing_sessions_count', 'sessions_count') }} as view_rate,
    adding_sessions_count,
    {{ ratio('adding_sessions_count', 'viewing_sessions_count') }} as add_rate,
    checkout_sessions_count,
    {{ ratio('checkout_sessions_count', 'adding_sessions_count') }} as checkout_rate,
    buying_sessions_count,
    {{ ratio('buying_sessions_count', 'checkout_sessions_count') }} as completion_rate
from sums
