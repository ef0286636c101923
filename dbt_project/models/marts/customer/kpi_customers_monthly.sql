with customer_months as (
    select * from {{ ref('customer_months') }}
),

months as (
    select distinct month_start_date, is_complete from customer_months
),

tiers as (
    select tiers.value_tier
    from (values ('top'), ('middle'), ('base'), ('none'), ('total')) as tiers (value_tier)
),

sums as (
    select
        months.month_start_date,
        tiers.value_tier,
        months.is_complete,
        count(*) filter (where customer_months.is_active) as active_customers_count,
        count(*) filter (where customer_months.is_new) as new_customers_count,
        count(*) filter (where customer_months.is_retained) as retained_customers_count,
        count(*) filter (where customer_months.is_reactivated) as reactivated_customers_count,
        count(*) filter (where customer_months.is_lost) as lost_customers_count,
        count(*) filter (
            where customer_months.was_active_previous_month
        ) as active_previous_month_customers_count,
        coalesce(sum(customer_months.orders_count), 0) as orders_count,
        coalesce(sum(customer_months.gross_amount), 0) as gross_amount,
        coalesce(sum(customer_months.discount_amount), 0) as discount_amount,
        coalesce(sum(customer_months.net_revenue_amount), 0) as net_revenue_amount
    from months
    cross join tiers
    left join customer_months
        on
            months.month_start_date = customer_months.month_start_date
            and tiers.value_tier in (customer_months.value_tier, 'total')
    group by months.month_start_date, tiers.value_tier, months.is_complete
)

select
    month_start_date,
    cast(value_tier as varchar) as value_tier,
    cast(active_customers_count as bigint) as active_customers_count,
    cast(new_customers_count as bigint) as new_customers_count,
    cast(retained_customers_count as bigint) as retained_customers_count,
    cast(reactivated_customers_count as bigint) as reactivated_customers_count,
    cast(lost_customers_count as bigint) as lost_customers_count,
    cast(active_previous_month_customers_count as bigint) as active_previous_month_customers_count,
    {{ ratio('retained_customers_count', 'active_previous_month_customers_count') }} as retention_rate,
    cast(orders_count as bigint) as orders_count,
    {{ ratio('orders_count', 'active_customers_count') }} as orders_per_customer_mean,
    cast(gross_amount as decimal(18, 2)) as gross_amount,
    cast(discount_amount as decimal(18, 2)) as discount_amount,
    {{ ratio('discount_amount', 'gross_amount') }} as discount_share_rate,
    cast(net_revenue_amount as decimal(18, 2)) as net_revenue_amount,
    {{ ratio('net_revenue_amount', 'orders_count') }} as basket_mean_amount,
    is_complete
from sums
