with activity as (
    select
        *,
        -- Who has no record cannot be told from another: each activity is somebody's.
        source_system || ':' || coalesce(customer_key, activity_key) as actor
    from {{ ref('fct_social') }}
)

select
    occurred_date,
    cast(platform as varchar) as platform,
    count(*) as activities_count,
    count(distinct actor) as actors_count,
    {{ ratio('count(*)', 'count(distinct actor)') }} as activities_per_actor_mean,
    count(*) filter (where activity_type = 'viewed') as views_count,
    count(*) filter (where activity_type = 'liked') as likes_count,
    count(*) filter (where activity_type = 'commented') as comments_count,
    count(*) filter (where activity_type = 'shared') as shares_count,
    count(*) filter (where activity_type = 'mentioned') as mentions_count,
    count(*) filter (where activity_type = 'clicked') as clicks_count,
    count(*) filter (where activity_type = 'messaged') as messages_count,
    count(*) filter (where activity_type = 'followed') as followed_count,
    count(*) filter (where activity_type = 'unfollowed') as unfollowed_count
from activity
group by occurred_date, platform
