{% set windows = [7, 30, 90, 180, 365] %}
{% set seasons = [30, 90] %}
{% set browsing = [7, 30, 90] %}
{% set bounds = windows + [365] %}
{% for season in seasons %}{% do bounds.append(365 - season) %}{% endfor %}

with dates as (
    select as_of_date, is_whole from {{ source('moment', 'as_of_dates') }}
),

-- At the run's date and those of a backfill every customer counts; to learn from the past, a part of very
-- many is enough.
-- A number is quicker to group by than an id.
customers as (
    select
        customer_id,
        row_number() over (order by customer_id) as customer_number,
        {{ even_share('customer_id') }} * count(*) over () < {{ var('training_customers') }} as is_in_sample
    from {{ ref('order_history') }}
    where customer_id <> 'unknown' and known_from_date < known_to_date
    group by customer_id
),

shop_days as (
    select distinct ordered_date, known_from_date, known_to_date
    from {{ ref('order_history') }}
    where customer_id <> 'unknown' and known_from_date < known_to_date
),

-- Which orders each date sees: none dated or known on or after it. Worked out per day and not per
-- order, as there are few days. `days_ago_bound` is the end of the period of days the day lies in.
sights as (
    select
        dates.as_of_date,
        dates.is_whole,
        shop_days.ordered_date,
        shop_days.known_from_date,
        shop_days.known_to_date,
        {{ days_between('shop_days.ordered_date', 'dates.as_of_date') }} as days_ago,
        case
            {% for bound in bounds | unique | sort %}
                when {{ days_between('shop_days.ordered_date', 'dates.as_of_date') }} <= {{ bound }} then {{ bound }}
            {% endfor %}
            else 100000
        end as days_ago_bound,
        case when {{ is_weekend('shop_days.ordered_date') }} then 1 else 0 end as weekend_orders_count
    from shop_days
    inner join dates
        on {{ is_valid_at('dates.as_of_date', 'shop_days') }} and shop_days.ordered_date < dates.as_of_date
),

-- What the shop sold before its first order is not zero but unknown.
first_days as (
    select
        as_of_date,
        min(ordered_date) as first_ordered_date
    from sights
    group by as_of_date
),

-- Sums per period first: few columns of many orders, then many columns of few periods.
periods as (
    select
        customer_number,
        as_of_date,
        days_ago_bound,
        count(*) as orders_count,
        cast(sum(net_revenue_amount) as decimal(18, 4)) as net_revenue_amount,
        sum(net_revenue_amount * net_revenue_amount) as squares_amount,
        max(net_revenue_amount) as basket_max_amount,
        cast(sum(gross_amount) as decimal(18, 4)) as gross_amount,
        cast(sum(discount_amount) as decimal(18, 4)) as discount_amount,
        cast(sum(lines_count) as bigint) as lines_count,
        count(case when coupon_amount > 0 then 1 end) as coupon_orders_count,
        cast(sum(weekend_orders_count) as bigint) as weekend_orders_count,
        min(days_ago) as recency_days,
        max(days_ago) as tenure_days,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at
    {{ known_orders() }}
    group by customer_number, as_of_date, days_ago_bound
),

sums as (
    select
        customer_number,
        as_of_date,
        {% for window in windows %}
            sum(case when days_ago_bound <= {{ window }} then orders_count end) as orders_{{ window }}d_count,
            cast(sum(
                case when days_ago_bound <= {{ window }} then net_revenue_amount end
            ) as decimal(18, 4)) as net_revenue_{{ window }}d_amount,
        {% endfor %}
        {% for window in seasons %}
            sum(
                case when 365 - {{ window }} < days_ago_bound and days_ago_bound <= 365 then orders_count end
            ) as orders_last_year_{{ window }}d_count,
            cast(sum(
                case when 365 - {{ window }} < days_ago_bound and days_ago_bound <= 365 then net_revenue_amount end
            ) as decimal(18, 4)) as net_revenue_last_year_{{ window }}d_amount,
        {% endfor %}
        sum(orders_count) as orders_count,
        cast(sum(net_revenue_amount) as decimal(18, 4)) as net_revenue_amount,
        min(recency_days) as recency_days,
        max(tenure_days) as tenure_days,
        {{ ratio('sum(net_revenue_amount)', 'sum(orders_count)') }} as basket_mean_amount,
        {{ deviation_of_sums(
            'sum(orders_count)', 'sum(net_revenue_amount)', 'sum(squares_amount)'
        ) }} as basket_sd_amount,
        max(basket_max_amount) as basket_max_amount,
        sum(case when days_ago_bound <= 90 then lines_count end) as lines_90d_count,
        {{ ratio('sum(lines_count)', 'sum(orders_count)') }} as lines_per_order_mean,
        {{ ratio('sum(discount_amount)', 'sum(gross_amount)') }} as discount_share_rate,
        {{ ratio(
            'sum(case when days_ago_bound <= 90 then discount_amount end)',
            'sum(case when days_ago_bound <= 90 then gross_amount end)'
        ) }} as discount_share_90d_rate,
        sum(coupon_orders_count) as coupon_orders_count,
        {{ ratio('sum(weekend_orders_count)', 'sum(orders_count)') }} as weekend_orders_rate,
        min(first_ordered_at) as first_ordered_at,
        max(last_ordered_at) as last_ordered_at
    from periods
    group by customer_number, as_of_date
),

baskets as (
    select
        orders.customer_number,
        orders.as_of_date,
        {{ median('orders.net_revenue_amount') }} as basket_median_amount,
        min(
            case when orders.ordered_at = sums.first_ordered_at then orders.net_revenue_amount end
        ) as basket_first_amount,
        max(
            case when orders.ordered_at = sums.last_ordered_at then orders.net_revenue_amount end
        ) as basket_last_amount,
        count(distinct orders.store_id) as stores_count
    {{ known_orders() }}
    inner join sums on orders.customer_number = sums.customer_number and orders.as_of_date = sums.as_of_date
    group by orders.customer_number, orders.as_of_date
),

steps as (
    select
        customer_number,
        as_of_date,
        ordered_date,
        lag(ordered_date) over (
            partition by customer_number, as_of_date order by ordered_date
        ) as previous_date
    {{ known_orders() }}
),

-- One row per order day but the first: orders of one day have no gap.
gaps as (
    select
        customer_number,
        as_of_date,
        ordered_date,
        {{ days_between('previous_date', 'ordered_date') }} as gap_days,
        case
            when extract(month from previous_date) <> extract(month from ordered_date) then 1
            when extract(year from previous_date) <> extract(year from ordered_date) then 1
        end as new_month
    from steps
    where previous_date < ordered_date
),

gap_features as (
    select
        customer_number,
        as_of_date,
        count(*) as gaps_count,
        count(new_month) as new_months_count,
        {{ ratio('sum(gap_days)', 'count(gap_days)') }} as gap_mean_days,
        {{ median('gap_days') }} as gap_median_days,
        {{ sample_deviation('gap_days') }} as gap_sd_days,
        max(gap_days) as gap_max_days,
        max_by(gap_days, ordered_date) as gap_last_days
    from gaps
    group by customer_number, as_of_date
),

-- Who stays away for a year is as far as who never came.
browsing_days as (
    select
        customers.customer_number,
        dates.as_of_date,
        {{ days_between('days.browsed_date', 'dates.as_of_date') }} as days_ago,
        sum(days.products_viewed_count) as products_viewed_count,
        sum(days.products_added_count) as products_added_count,
        sum(days.checkouts_count) as checkouts_count
    from {{ ref('browsing_days') }} as days
    inner join customers on days.customer_id = customers.customer_id
    inner join dates
        on
            {{ is_valid_at('dates.as_of_date', 'days') }}
            and days.browsed_date < dates.as_of_date
            and days.browsed_date >= {{ add_days('dates.as_of_date', -365) }}
    where dates.is_whole or customers.is_in_sample
    group by customers.customer_number, dates.as_of_date, days.browsed_date
),

browsing as (
    select
        customer_number,
        as_of_date,
        {% for window in browsing %}
            count(case when days_ago <= {{ window }} then 1 end) as browsing_days_{{ window }}d_count,
        {% endfor %}
        sum(case when days_ago <= 90 then products_viewed_count end) as products_viewed_90d_count,
        sum(case when days_ago <= 90 then products_added_count end) as products_added_90d_count,
        sum(case when days_ago <= 90 then checkouts_count end) as checkouts_90d_count,
        min(days_ago) as browsing_recency_days
    from browsing_days
    group by customer_number, as_of_date
),

browsed as (
    select
        dates.as_of_date,
        days.browsed_date,
        sum(days.events_count) as events_count
    from {{ ref('browsing_days') }} as days
    inner join dates
        on
            {{ is_valid_at('dates.as_of_date', 'days') }}
            and days.browsed_date < dates.as_of_date
    group by dates.as_of_date, days.browsed_date
),

browsed_until as (
    select
        as_of_date,
        browsed_date,
        sum(events_count) over (partition by as_of_date order by browsed_date) as events_until_count,
        sum(events_count) over (partition by as_of_date) as events_count
    from browsed
),

-- What a site did before it told of its visits is not zero but unknown. It tells of them from the day by
-- which one event in a hundred had come, so that a single one with a wrong date does not decide.
first_browsed as (
    select
        as_of_date,
        min(browsed_date) as first_browsed_date
    from browsed_until
    where events_until_count * 100 >= events_count
    group by as_of_date
)

select
    customers.customer_id,
    sums.as_of_date,
    {% for window in windows %}
        cast(coalesce(sums.orders_{{ window }}d_count, 0) as bigint) as orders_{{ window }}d_count,
    {% endfor %}
    cast(sums.orders_count as bigint) as orders_count,
    {% for window in windows %}
        cast(coalesce(sums.net_revenue_{{ window }}d_amount, 0) as decimal(18, 2)) as net_revenue_{{ window }}d_amount,
    {% endfor %}
    cast(sums.net_revenue_amount as decimal(18, 2)) as net_revenue_amount,
    {% for window in seasons %}
        case
            when first_days.first_ordered_date <= {{ add_days('sums.as_of_date', -365) }}
                then cast(coalesce(sums.orders_last_year_{{ window }}d_count, 0) as bigint)
        end as orders_last_year_{{ window }}d_count,
        case
            when first_days.first_ordered_date <= {{ add_days('sums.as_of_date', -365) }}
                then cast(coalesce(sums.net_revenue_last_year_{{ window }}d_amount, 0) as decimal(18, 2))
        end as net_revenue_last_year_{{ window }}d_amount,
    {% endfor %}
    cast(sums.recency_days as bigint) as recency_days,
    cast(sums.tenure_days as bigint) as tenure_days,
    cast(coalesce(gaps.gaps_count, 0) + 1 as bigint) as order_days_count,
    cast(coalesce(gaps.new_months_count, 0) + 1 as bigint) as active_months_count,
    gaps.gap_mean_days,
    gaps.gap_median_days,
    gaps.gap_sd_days,
    cast(gaps.gap_max_days as bigint) as gap_max_days,
    cast(gaps.gap_last_days as bigint) as gap_last_days,
    {{ ratio('sums.recency_days', 'gaps.gap_mean_days') }} as recency_gap_ratio,
    sums.basket_mean_amount,
    baskets.basket_median_amount,
    sums.basket_sd_amount,
    cast(baskets.basket_first_amount as decimal(18, 2)) as basket_first_amount,
    cast(baskets.basket_last_amount as decimal(18, 2)) as basket_last_amount,
    cast(sums.basket_max_amount as decimal(18, 2)) as basket_max_amount,
    cast(coalesce(sums.lines_90d_count, 0) as bigint) as lines_90d_count,
    sums.lines_per_order_mean,
    sums.discount_share_rate,
    sums.discount_share_90d_rate,
    cast(sums.coupon_orders_count as bigint) as coupon_orders_count,
    cast(baskets.stores_count as bigint) as stores_count,
    sums.weekend_orders_rate,
    {% for window in browsing %}
        case
            when first_browsed.first_browsed_date <= {{ add_days('sums.as_of_date', -window) }}
                then cast(coalesce(browsing.browsing_days_{{ window }}d_count, 0) as bigint)
        end as browsing_days_{{ window }}d_count,
    {% endfor %}
    {% for name in ['products_viewed', 'products_added', 'checkouts'] %}
        case
            when first_browsed.first_browsed_date <= {{ add_days('sums.as_of_date', -90) }}
                then cast(coalesce(browsing.{{ name }}_90d_count, 0) as bigint)
        end as {{ name }}_90d_count,
    {% endfor %}
    cast(browsing.browsing_recency_days as bigint) as browsing_recency_days
from sums
inner join customers on sums.customer_number = customers.customer_number
inner join baskets on sums.customer_number = baskets.customer_number and sums.as_of_date = baskets.as_of_date
left join gap_features as gaps on sums.customer_number = gaps.customer_number and sums.as_of_date = gaps.as_of_date
inner join first_days on sums.as_of_date = first_days.as_of_date
left join first_browsed on sums.as_of_date = first_browsed.as_of_date
left join browsing on sums.customer_number = browsing.customer_number and sums.as_of_date = browsing.as_of_date
