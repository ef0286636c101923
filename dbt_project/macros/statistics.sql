{#-
    The sample standard deviation of a decimal or whole number, NULL below two values. It is made
    from exact sums: adding doubles gives other last digits each time the rows come in another order.
-#}
{% macro sample_deviation(number) %}{{ deviation_of_sums('count(' ~ number ~ ')', 'sum(' ~ number ~ ')', 'sum(' ~ number ~ ' * ' ~ number ~ ')') }}{% endmacro %}

{#- The same from sums that are there already: of ones, of the numbers and of their squares. -#}
{% macro deviation_of_sums(count, total, squares) %}
    sqrt(
        greatest(
            {{ count }} * cast({{ squares }} as double) - cast({{ total }} as double) * cast({{ total }} as double),
            0
        ) / nullif({{ count }} * ({{ count }} - 1), 0)
    )
{% endmacro %}

{#- One number over another as a double, NULL when the other is zero or NULL. -#}
{% macro ratio(numerator, denominator) %}cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0){% endmacro %}

{#-
    Value tier of a customer ranked by net revenue: top 20 %, next 30 %, rest. Cut counts are
    rounded up, which whole numbers say as: rank - 1 < share * count.
-#}
{% macro value_tier(revenue_rank, ranked_count) %}
    case
        when {{ revenue_rank }} is null then 'none'
        when 5 * ({{ revenue_rank }} - 1) < {{ ranked_count }} then 'top'
        when 2 * ({{ revenue_rank }} - 1) < {{ ranked_count }} then 'middle'
        else 'base'
    end
{% endmacro %}

{#- The lower (-) or upper (+) end of the 95 % interval of a share, by Wilson's score (1927). -#}
{% macro wilson(successes, trials, sign) -%}
round((
    cast({{ successes }} as double) + 1.920729 {{ sign }} 1.959964 * sqrt(
        cast({{ successes }} as double) * (cast({{ trials }} as double) - cast({{ successes }} as double))
        / nullif(cast({{ trials }} as double), 0) + 0.960365
    )
) / (nullif(cast({{ trials }} as double), 0) + 3.841459), 6)
{%- endmacro %}
