select
    _row,
    id as customer_key,
    created_at,
    first_name,
    last_name,
    social_handle,
    created_at as updated_at
from profiles
