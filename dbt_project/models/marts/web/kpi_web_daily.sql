with sessions as (
    select
        *,
        coalesce(campaign_medium, 'direct') as medium
    from {{ ref('fct_sessions') }}
),

sums as (
    select
        started_date,
        channel,
        medium,
        count(*) filter (where not is_bot) as sessions_count,
        count(distinct visitor_id) filter (where not is_bot) as visitors_count,
        count(*) filter (where not is_bot and is_engaged) as engaged_sessions_count,
        coalesce(sum(views_count) filter (where not is_bot), 0) as views_count,
        coalesce(sum(duration_seconds) filter (where not is_bot), 0) as duration_seconds,
        count(*) filter (where not is_bot and orders_count > 0) as buying_sessions_count,
        coalesce(sum(orders_count) filter (where not is_bot), 0) as orders_count,
        count(*) filter (where is_bot) as bot_sessions_count
    from sessions
    group by started_date, channel, medium
)

select
    started_date,
    cast(coalesce(channel, 'unknown') as varchar) as channel,
    cast(medium as varchar) as campaign_medium,
    sessions_count,
    visitors_count,
    engaged_sessions_count,
    {{ ratio('engaged_sessions_count', 'sessions_count') }} as engagement_rate,
    {{ ratio('sessions_count - engaged_sessions_count', 'sessions_count') }} as bounce_rate,
    cast(views_count as bigint) as views_count,
    {{ ratio('views_count', 'sessions_count') }} as views_per_session_mean,
    {{ ratio('duration_seconds', 'sessions_count') }} as duration_mean_seconds,
    buying_sessions_count,
    {{ ratio('buying_sessions_count', 'sessions_count') }} as conversion_rate,
    cast(orders_count as bigint) as orders_count,
    bot_sessions_count
from sums
