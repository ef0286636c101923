{{ config(materialized='view') }}

with run as (
    select business_timezone from {{ source('moment', 'run') }}
),

-- Whoever opens a message does not touch the company: a program may have. A click does.
touches as (
    select
        'visit ' || session_id as touch_id,
        source_system,
        customer_system,
        customer_key,
        customer_id,
        started_at as touched_at,
        started_date as touched_date,
        coalesce(channel, 'web') as channel,
        'inbound' as direction,
        'visit' as touch_type,
        cast(null as varchar) as campaign_id,
        campaign_name,
        cast(null as varchar) as theme,
        cast(null as decimal(18, 4)) as cost_amount,
        cast(null as decimal(4, 2)) as satisfaction_rating
    from {{ ref('fct_sessions') }}
    where not is_bot
    union all
    select
        'message ' || message_id as touch_id,
        source_system,
        source_system as customer_system,
        customer_key,
        customer_id,
        sent_at as touched_at,
        sent_date as touched_date,
        channel,
        'outbound' as direction,
        'message' as touch_type,
        nullif(campaign_id, 'unknown') as campaign_id,
        null as campaign_name,
        message_theme as theme,
        cost_amount,
        null as satisfaction_rating
    from {{ ref('fct_messages') }}
    where bounced_at is null or delivered_at is not null
    union all
    select
        'click ' || messages.message_id as touch_id,
        messages.source_system,
        messages.source_system as customer_system,
        messages.customer_key,
        messages.customer_id,
        messages.clicked_at as touched_at,
        {{ business_date('messages.clicked_at', 'run.business_timezone') }} as touched_date,
        messages.channel,
        'inbound' as direction,
        'click' as touch_type,
        nullif(messages.campaign_id, 'unknown') as campaign_id,
        null as campaign_name,
        messages.message_theme as theme,
        null as cost_amount,
        null as satisfaction_rating
    from {{ ref('fct_messages') }} as messages
    cross join run
    where messages.clicked_at is not null
    union all
    select
        'interaction ' || interaction_id as touch_id,
        source_system,
        source_system as customer_system,
        customer_key,
        customer_id,
        started_at as touched_at,
        started_date as touched_date,
        case interaction_type when 'call' then 'phone' when 'visit' then 'store' else interaction_type end as channel,
        coalesce(direction, 'inbound') as direction,
        'service' as touch_type,
        null as campaign_id,
        null as campaign_name,
        topic as theme,
        cost_amount,
        satisfaction_rating
    from {{ ref('fct_interactions') }}
    union all
    select
        'review ' || review_id as touch_id,
        source_system,
        customer_system,
        customer_key,
        customer_id,
        reviewed_at as touched_at,
        reviewed_date as touched_date,
        'review' as channel,
        'inbound' as direction,
        'review' as touch_type,
        null as campaign_id,
        null as campaign_name,
        null as theme,
        null as cost_amount,
        rating as satisfaction_rating
    from {{ ref('fct_reviews') }}
    union all
    select
        'social ' || activity_id as touch_id,
        source_system,
        source_system as customer_system,
        customer_key,
        customer_id,
        occurred_at as touched_at,
        occurred_date as touched_date,
        'social' as channel,
        'inbound' as direction,
        'social' as touch_type,
        {{ record_id('campaign_key') }} as campaign_id,
        null as campaign_name,
        activity_type as theme,
        null as cost_amount,
        null as satisfaction_rating
    from {{ ref('fct_social') }}
    union all
    select
        'referral ' || referral_id as touch_id,
        source_system,
        source_system as customer_system,
        referrer_customer_key as customer_key,
        referrer_customer_id as customer_id,
        referred_at as touched_at,
        referred_date as touched_date,
        coalesce(channel, 'referral') as channel,
        'inbound' as direction,
        'referral' as touch_type,
        null as campaign_id,
        null as campaign_name,
        referral_status as theme,
        reward_amount as cost_amount,
        null as satisfaction_rating
    from {{ ref('fct_referrals') }}
    union all
    select
        'order ' || orders.order_id as touch_id,
        orders.source_system,
        orders.source_system as customer_system,
        orders.customer_key,
        orders.customer_id,
        orders.ordered_at as touched_at,
        orders.ordered_date as touched_date,
        orders.channel,
        'inbound' as direction,
        'order' as touch_type,
        null as campaign_id,
        null as campaign_name,
        null as theme,
        null as cost_amount,
        null as satisfaction_rating
    from {{ ref('fct_orders') }} as orders
    union all
    select
        'return ' || return_id || ' ' || line_number as touch_id,
        split_part(return_id, ':', 1) as source_system,
        null as customer_system,
        null as customer_key,
        customer_id,
        returned_at as touched_at,
        returned_date as touched_date,
        'unknown' as channel,
        'inbound' as direction,
        'return' as touch_type,
        null as campaign_id,
        null as campaign_name,
        reason as theme,
        null as cost_amount,
        null as satisfaction_rating
    from {{ ref('fct_returns') }}
)

select * from touches
