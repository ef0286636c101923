{% set windows = [7, 30, 90, 180, 365] %}
{% set seasons = [30, 90] %}

with dates as (
    select as_of_date, is_run from {{ source('moment', 'as_of_dates') }}
),

-- At the run's date every customer counts; to learn from the past, a part of very many is enough.
customers as (
    select
        customer_id,
        {{ even_share('customer_id') }} * count(*) over () < {{ var('training_customers') }} as is_in_sample
    from {{ ref('customer_days') }}
    group by customer_id
),

shop_days as (
    select distinct ordered_date, known_from_date, known_to_date from {{ ref('customer_days') }}
),

-- What the shop sold before its first order is not zero but unknown.
first_days as (
    select
        dates.as_of_date,
        min(shop_days.ordered_date) as first_ordered_date
    from shop_days
    inner join dates
        on {{ is_valid_at('dates.as_of_date', 'shop_days') }} and shop_days.ordered_date < dates.as_of_date
    group by dates.as_of_date
),

-- What was known of each customer's days at each date, from nothing dated or known on or after it.
days as (
    select
        days.customer_id,
        dates.as_of_date,
        days.ordered_date,
        {{ days_between('days.ordered_date', 'dates.as_of_date') }} as days_ago,
        cast(sum(days.orders_count) as bigint) as orders_count,
        cast(sum(days.coupon_orders_count) as bigint) as coupon_orders_count,
        cast(sum(days.lines_count) as bigint) as lines_count,
        cast(sum(days.gross_amount) as decimal(18, 4)) as gross_amount,
        cast(sum(days.discount_amount) as decimal(18, 4)) as discount_amount,
        cast(sum(days.net_revenue_amount) as decimal(18, 4)) as net_revenue_amount
    from {{ ref('customer_days') }} as days
    inner join customers on days.customer_id = customers.customer_id
    inner join dates
        on
            {{ is_valid_at('dates.as_of_date', 'days') }}
            and days.ordered_date < dates.as_of_date
            and (dates.is_run or customers.is_in_sample)
    group by days.customer_id, dates.as_of_date, days.ordered_date
),

gaps as (
    select
        days.*,
        lag(days_ago) over (
            partition by customer_id, as_of_date order by ordered_date
        ) - days_ago as gap_days
    from days
),

day_features as (
    select
        customer_id,
        as_of_date,
        {% for window in windows %}
            sum(orders_count) filter (where days_ago <= {{ window }}) as orders_{{ window }}d_count,
            sum(net_revenue_amount) filter (where days_ago <= {{ window }}) as net_revenue_{{ window }}d_amount,
        {% endfor %}
        {% for window in seasons %}
            sum(orders_count) filter (
                where 365 - {{ window }} < days_ago and days_ago <= 365
            ) as orders_last_year_{{ window }}d_count,
            sum(net_revenue_amount) filter (
                where 365 - {{ window }} < days_ago and days_ago <= 365
            ) as net_revenue_last_year_{{ window }}d_amount,
        {% endfor %}
        sum(orders_count) as orders_count,
        sum(net_revenue_amount) as net_revenue_amount,
        min(days_ago) as recency_days,
        max(days_ago) as tenure_days,
        count(*) as order_days_count,
        count(distinct date_trunc('month', ordered_date)) as active_months_count,
        {{ ratio('sum(gap_days)', 'count(gap_days)') }} as gap_mean_days,
        {{ median('gap_days') }} as gap_median_days,
        {{ sample_deviation('gap_days') }} as gap_sd_days,
        max(gap_days) as gap_max_days,
        max_by(gap_days, ordered_date) as gap_last_days,
        sum(lines_count) filter (where days_ago <= 90) as lines_90d_count,
        {{ ratio('sum(lines_count)', 'sum(orders_count)') }} as lines_per_order_mean,
        {{ ratio('sum(discount_amount)', 'sum(gross_amount)') }} as discount_share_rate,
        {{ ratio(
            'sum(discount_amount) filter (where days_ago <= 90)',
            'sum(gross_amount) filter (where days_ago <= 90)'
        ) }} as discount_share_90d_rate,
        sum(coupon_orders_count) as coupon_orders_count
    from gaps
    group by customer_id, as_of_date
),

orders as (
    select
        history.customer_id,
        dates.as_of_date,
        history.store_id,
        history.ordered_date,
        history.net_revenue_amount,
        row_number() over (
            partition by history.customer_id, dates.as_of_date
            order by history.ordered_at, history.order_id
        ) as order_number
    from {{ ref('order_history') }} as history
    inner join customers on history.customer_id = customers.customer_id
    inner join dates
        on
            {{ is_valid_at('dates.as_of_date', 'history') }}
            and history.ordered_date < dates.as_of_date
            and (dates.is_run or customers.is_in_sample)
),

order_features as (
    select
        customer_id,
        as_of_date,
        {{ ratio('sum(net_revenue_amount)', 'count(*)') }} as basket_mean_amount,
        {{ median('net_revenue_amount') }} as basket_median_amount,
        {{ sample_deviation('net_revenue_amount') }} as basket_sd_amount,
        min_by(net_revenue_amount, order_number) as basket_first_amount,
        max_by(net_revenue_amount, order_number) as basket_last_amount,
        max(net_revenue_amount) as basket_max_amount,
        count(distinct store_id) as stores_count,
        {{ ratio(
            'count(*) filter (where ' ~ is_weekend('ordered_date') ~ ')', 'count(*)'
        ) }} as weekend_orders_rate
    from orders
    group by customer_id, as_of_date
)

select
    days.customer_id,
    days.as_of_date,
    {% for window in windows %}
        cast(coalesce(days.orders_{{ window }}d_count, 0) as bigint) as orders_{{ window }}d_count,
    {% endfor %}
    cast(days.orders_count as bigint) as orders_count,
    {% for window in windows %}
        cast(coalesce(days.net_revenue_{{ window }}d_amount, 0) as decimal(18, 2)) as net_revenue_{{ window }}d_amount,
    {% endfor %}
    cast(days.net_revenue_amount as decimal(18, 2)) as net_revenue_amount,
    {% for window in seasons %}
        case
            when first_days.first_ordered_date <= {{ add_days('days.as_of_date', -365) }}
                then cast(coalesce(days.orders_last_year_{{ window }}d_count, 0) as bigint)
        end as orders_last_year_{{ window }}d_count,
        case
            when first_days.first_ordered_date <= {{ add_days('days.as_of_date', -365) }}
                then cast(coalesce(days.net_revenue_last_year_{{ window }}d_amount, 0) as decimal(18, 2))
        end as net_revenue_last_year_{{ window }}d_amount,
    {% endfor %}
    cast(days.recency_days as bigint) as recency_days,
    cast(days.tenure_days as bigint) as tenure_days,
    cast(days.order_days_count as bigint) as order_days_count,
    cast(days.active_months_count as bigint) as active_months_count,
    days.gap_mean_days,
    days.gap_median_days,
    days.gap_sd_days,
    cast(days.gap_max_days as bigint) as gap_max_days,
    cast(days.gap_last_days as bigint) as gap_last_days,
    {{ ratio('days.recency_days', 'days.gap_mean_days') }} as recency_gap_ratio,
    orders.basket_mean_amount,
    orders.basket_median_amount,
    orders.basket_sd_amount,
    cast(orders.basket_first_amount as decimal(18, 2)) as basket_first_amount,
    cast(orders.basket_last_amount as decimal(18, 2)) as basket_last_amount,
    cast(orders.basket_max_amount as decimal(18, 2)) as basket_max_amount,
    cast(coalesce(days.lines_90d_count, 0) as bigint) as lines_90d_count,
    days.lines_per_order_mean,
    days.discount_share_rate,
    days.discount_share_90d_rate,
    cast(days.coupon_orders_count as bigint) as coupon_orders_count,
    cast(orders.stores_count as bigint) as stores_count,
    orders.weekend_orders_rate
from day_features as days
inner join order_features as orders
    on days.customer_id = orders.customer_id and days.as_of_date = orders.as_of_date
inner join first_days on days.as_of_date = first_days.as_of_date
