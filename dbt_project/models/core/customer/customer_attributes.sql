{%- set columns_of = {
    'first_name': ['first_name'], 'last_name': ['last_name'], 'email': ['email'], 'mobile_phone': ['mobile_phone'],
    'phone': ['phone'], 'birth_date': ['birth_date'], 'gender': ['gender'], 'language_code': ['language_code'],
    'address': ['address_line_1', 'postal_code', 'city', 'country_code']
} -%}

-- The columns of an address stand and fall together: they are ranked alike, so one record gives them all.
with told as (
    {% for attribute, columns in columns_of.items() %}
        {% set outer_loop = loop %}
        {% for column in columns %}
            select
                customer_id,
                '{{ column }}' as attribute,
                '{{ var('survivorship')[attribute] }}' as survivorship_rule,
                cast({{ column }} as varchar) as attribute_value,
                normalised_{{ attribute }} as normalised_value,
                record_key,
                told_at,
                {% if attribute == 'address' %}
                    address_line_1 is null or coalesce(postal_code, city) is null as is_in_part,
                {% else %}
                    false as is_in_part,
                {% endif %}
                coalesce(
                    cast({{ columns[0] }} as varchar) = upper(cast({{ columns[0] }} as varchar))
                    and cast({{ columns[0] }} as varchar) <> lower(cast({{ columns[0] }} as varchar)),
                    false
                ) as is_in_capitals
            from {{ ref('customer_records') }}
            where normalised_{{ attribute }} is not null
            {{ 'union all' if not (loop.last and outer_loop.last) }}
        {% endfor %}
    {% endfor %}
),

agreed as (
    select
        *,
        count(*) over (partition by customer_id, attribute) as records_count,
        count(*) over (partition by customer_id, attribute, normalised_value) as agreeing_count,
        max(told_at) over (partition by customer_id, attribute, normalised_value) as last_told_at,
        min(record_key) over (partition by customer_id, attribute, normalised_value) as smallest_record_key
    from told
),

-- First which value, then which of the ways it is written: one not in capitals, of these the newest.
ranked as (
    select
        *,
        row_number() over (
            partition by customer_id, attribute
            order by
                is_in_part asc,
                case when survivorship_rule = 'most_agreed' then agreeing_count end desc nulls last,
                last_told_at desc nulls last,
                smallest_record_key asc,
                is_in_capitals asc,
                told_at desc nulls last,
                record_key asc
        ) as place
    from agreed
)

select
    customer_id,
    attribute,
    attribute_value,
    normalised_value,
    survivorship_rule,
    record_key as source_record_key,
    told_at,
    records_count,
    agreeing_count,
    {{ ratio('agreeing_count', 'records_count') }} as confidence_rate
from ranked
where place = 1 and attribute_value is not null
