{#-
    What identifies a person, written in one way whatever the source: names, e-mail, telephone, house.
    A value that says nothing, as typed where a field must not stay empty, is NULL here.
-#}

{#- A text in small Latin letters without marks, and digits, with one space between words. -#}
{% macro folded(text) %}{{ return(adapter.dispatch('folded', 'unicus')(text)) }}{% endmacro %}
{% macro duckdb__folded(text) %}nullif(trim(regexp_replace(strip_accents({{ romanised('lower(' ~ text ~ ')') }}), '[^a-z0-9]+', ' ', 'g')), ''){% endmacro %}

{#- Small letters of other scripts, and those that are no letter with a mark, in Latin ones. -#}
{% macro romanised(text) -%}
    {%- set spelt = [
        ('œ', 'oe'), ('æ', 'ae'), ('ß', 'ss'), ('þ', 'th'), ('ου', 'ou'), ('ού', 'ou'), ('ευ', 'ev'), ('εύ', 'ev'),
        ('αυ', 'av'), ('αύ', 'av'), ('μπ', 'b'), ('θ', 'th'), ('χ', 'ch'), ('ψ', 'ps'), ('ж', 'zh'),
        ('х', 'kh'), ('ц', 'ts'), ('ч', 'ch'), ('ш', 'sh'), ('щ', 'shch'), ('ю', 'yu'), ('я', 'ya'), ('ь', ''), ('ъ', '')
    ] -%}
    {%- set text = namespace(sql=text) -%}
    {%- for letters, latin in spelt -%}
        {%- set text.sql = "replace(" ~ text.sql ~ ", '" ~ letters ~ "', '" ~ latin ~ "')" -%}
    {%- endfor -%}
    translate({{ text.sql }}, 'łøđðıαβγδεζηικλμνξοπρσςτυφωάέήίόύώϊϋΐΰабвгдезийклмнопрстуфыэё', 'loddiavgdeziiklmnxoprsstyfoaeiioyoiyiyabvgdeziiklmnoprstufyee')
{%- endmacro %}

{#- A part of a folded name without particles; NULL when it is one of those typed for nobody. -#}
{% macro name_part(folded_name) %}{{ return(adapter.dispatch('name_part', 'unicus')(folded_name)) }}{% endmacro %}
{% macro duckdb__name_part(folded_name) %}case when {{ folded_name }} not in ('{{ var('names_of_nobody') | join("', '") }}') then coalesce(nullif(trim(regexp_replace({{ folded_name }}, '\b({{ var('name_particles') | join('|') }})\b ?', '', 'g')), ''), {{ folded_name }}) end{% endmacro %}

{#- An e-mail address as mailboxes are told apart; NULL when it is none, or nobody's. -#}
{% macro mailbox(email) %}{{ return(adapter.dispatch('mailbox', 'unicus')(email)) }}{% endmacro %}
{% macro duckdb__mailbox(email) %}case when regexp_matches(lower(trim({{ email }})), '^[^@\s]+@[^@\s]+\.[a-z]{2,}$') and regexp_extract(lower(trim({{ email }})), '^[^@+]+') not in ('{{ var('mailboxes_of_nobody') | join("', '") }}') then regexp_replace(lower(trim({{ email }})), '\+[^@]*@', '@') end{% endmacro %}

{#- The digits of a telephone number with its country in front; `calling_code` is that of numbers without. -#}
{% macro phone_number(phone, calling_code) -%}
    {%- set digits = digits_of(phone) -%}
    case
        when {{ phone }} is null then null
        when ltrim({{ phone }}) like '+%' then {{ digits }}
        when {{ digits }} like '00%' then substr({{ digits }}, 3)
        when {{ digits }} like '0%' and {{ calling_code }} <> '39' then {{ calling_code }} || substr({{ digits }}, 2)
        else {{ calling_code }} || {{ digits }}
    end
{%- endmacro %}

{% macro digits_of(text) %}{{ return(adapter.dispatch('digits_of', 'unicus')(text)) }}{% endmacro %}
{% macro duckdb__digits_of(text) %}regexp_replace({{ text }}, '[^0-9]', '', 'g'){% endmacro %}

{#- Its last nine digits, by which two numbers are compared when only one may tell its country. -#}
{% macro last_digits(number) %}case when length({{ digits_of(number) }}) >= 8 then right({{ digits_of(number) }}, 9) end{% endmacro %}

{#- A telephone number, unless it has no length of one, or was made up: one digit on and on, or in a row. -#}
{% macro real_number(digits) %}{{ return(adapter.dispatch('real_number', 'unicus')(digits)) }}{% endmacro %}
{% macro duckdb__real_number(digits) %}case when length({{ digits }}) between 8 and 15 and not regexp_matches({{ digits }}, '0{5}|1{5}|2{5}|3{5}|4{5}|5{5}|6{5}|7{5}|8{5}|9{5}|(06){4}|(12){4}|2345678|102030405') then {{ digits }} end{% endmacro %}

{#- The number of a house, and the word of its street that tells most: the last that is no kind of street. -#}
{% macro house_number(folded_address) %}{{ return(adapter.dispatch('house_number', 'unicus')(folded_address)) }}{% endmacro %}
{% macro duckdb__house_number(folded_address) %}nullif(regexp_extract({{ folded_address }}, '[0-9]+'), ''){% endmacro %}
{% macro street_word(folded_address) %}{{ return(adapter.dispatch('street_word', 'unicus')(folded_address)) }}{% endmacro %}
{% macro duckdb__street_word(folded_address) %}nullif(regexp_extract(trim(regexp_replace(replace(' ' || {{ folded_address }} || ' ', 'strasse', 'str'), ' (([0-9]+[a-z]?|[a-z]|{{ var('kinds_of_street') | join('|') }}) )+', ' ', 'g')), '[a-z]+$'), ''){% endmacro %}

{#-
    What identifies each profile of a relation with the columns of stg_customers, one row per record: every
    value in one way, NULL where it says nothing. What a country or a birthday is worth is judged by all of them.
-#}
{% macro normalised_profiles(relation) %}
    with readable as (
        select
            *,
            {{ folded('address_line_1') }} as address,
            {{ folded('full_name') }} as name_in_one,
            upper(country_code) as country
        from {{ relation }}
    ),

    calling_codes as (
        select * from (
            values {% for country, code in var('calling_codes').items() %}('{{ country }}', '{{ code }}'){{ ', ' if not loop.last }}{% endfor %}
        ) as codes (country, calling_code)
    ),

    {#- A number without a country is one of the country that most records are of. #}
    home as (
        select calling_codes.calling_code
        from readable
        inner join calling_codes on readable.country = calling_codes.country
        group by calling_codes.calling_code
        order by count(*) desc, calling_codes.calling_code asc
        limit 1
    ),

    folded as (
        select
            readable.source_system,
            readable.customer_key as source_key,
            {{ folded("coalesce(readable.first_name, regexp_extract(readable.name_in_one, '^(.*) [^ ]+$', 1))") }} as first_name,
            {{ folded("coalesce(readable.last_name, regexp_extract(readable.name_in_one, '[^ ]+$'))") }} as last_name,
            {{ mailbox('readable.email') }} as email,
            coalesce(codes.calling_code, home.calling_code, '') as calling_code,
            readable.mobile_phone,
            readable.phone,
            readable.address,
            coalesce({{ folded('readable.postal_code') }}, {{ folded('readable.city') }}) as place,
            readable.country,
            readable.birth_date,
            {{ trimmed('readable.loyalty_card_key') }} as card_key,
            {{ trimmed('readable.visitor_key') }} as visitor_key,
            {{ trimmed('readable.device_key') }} as device_key,
            lower({{ trimmed('readable.social_handle') }}) as social_handle
        from readable
        left join calling_codes as codes on readable.country = codes.country
        left join home on true
    ),

    {#- A birthday that very many share is what a form or a till puts where none is told. #}
    birthdays as (
        select birth_date
        from folded
        where birth_date is not null
        group by birth_date
        having count(*) <= greatest(20, 0.002 * (select count(folded.birth_date) from folded))
    )

    select
        folded.source_system,
        folded.source_key,
        {{ name_part('folded.first_name') }} as first_name,
        {{ name_part('folded.last_name') }} as last_name,
        folded.email,
        {{ real_number(phone_number('folded.mobile_phone', 'folded.calling_code')) }} as mobile_phone,
        {{ real_number(phone_number('folded.phone', 'folded.calling_code')) }} as phone,
        {{ house_number('folded.address') }} || ' ' || {{ street_word('folded.address') }}
        || ' ' || folded.place as house_key,
        folded.place,
        folded.country as country_code,
        birthdays.birth_date,
        folded.card_key,
        folded.visitor_key,
        folded.device_key,
        folded.social_handle
    from folded
    left join birthdays on folded.birth_date = birthdays.birth_date
{% endmacro %}
