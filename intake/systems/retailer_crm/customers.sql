select
    _row,
    id as customer_key,
    created_at,
    first_name,
    last_name,
    birth_date,
    gender,
    language_code,
    email,
    phone,
    mobile_phone,
    address_line_1,
    postal_code,
    city,
    country_code,
    created_at as updated_at
from contacts
