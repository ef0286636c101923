select
    _row,
    id as customer_key,
    created_at,
    first_name,
    last_name,
    language_code,
    email,
    mobile_phone,
    address_line_1,
    postal_code,
    city,
    country_code,
    visitor as visitor_key,
    created_at as updated_at
from accounts
