select
    _row,
    id as customer_key,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/Paris', try_strptime(cast(created_at as varchar), '%d/%m/%Y %H:%M:%S'))),
            '%Y-%m-%d %H:%M:%S'
        ),
        cast(created_at as varchar)
    ) as created_at,
    first_name,
    last_name,
    coalesce(
        strftime(try_strptime(cast(birth_date as varchar), '%d/%m/%Y'), '%Y-%m-%d'), cast(birth_date as varchar)
    ) as birth_date,
    gender,
    email,
    mobile_phone,
    address_line_1,
    postal_code,
    city,
    country_code,
    loyalty_card as loyalty_card_key,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/Paris', try_strptime(cast(created_at as varchar), '%d/%m/%Y %H:%M:%S'))),
            '%Y-%m-%d %H:%M:%S'
        ),
        cast(created_at as varchar)
    ) as updated_at
from porteurs
