select
    _row,
    id as customer_key,
    created_at,
    email,
    mobile_phone,
    device as device_key,
    created_at as updated_at
from contacts
