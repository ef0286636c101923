select
    _row,
    id as customer_key,
    created_at,
    first_name,
    last_name,
    email,
    phone,
    mobile_phone,
    created_at as updated_at
from contacts
