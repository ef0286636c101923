{#-
    The orders that each as-of date knows, as a FROM clause named orders, from the CTEs `customers` and
    `sights` of customer_as_of_features. A text and no CTE, as it is read three times, by few columns
    each. Those of the sample are read on their own, so that the others are dropped before they are
    multiplied by the dates.
-#}
{% macro known_orders() %}
from (
    {{ _known_orders('sights.is_whole', 'true') }}
    union all
    {{ _known_orders('not sights.is_whole', 'customers.is_in_sample') }}
) as orders
{% endmacro %}

{% macro _known_orders(dates, customers) %}
    select
        customers.customer_number,
        sights.as_of_date,
        sights.days_ago,
        sights.days_ago_bound,
        sights.weekend_orders_count,
        history.store_id,
        history.ordered_at,
        history.ordered_date,
        history.lines_count,
        history.gross_amount,
        history.discount_amount,
        history.net_revenue_amount,
        history.coupon_amount
    from {{ ref('order_history') }} as history
    inner join customers on history.customer_id = customers.customer_id and {{ customers }}
    inner join sights
        on
            history.ordered_date = sights.ordered_date
            and history.known_from_date = sights.known_from_date
            and history.known_to_date = sights.known_to_date
            and {{ dates }}
{% endmacro %}
