select
    _row,
    id as request_key,
    requested_at,
    status as request_status,
    'retailer_crm' as record_source_system,
    contact as record_customer_key,
    email
from demandes
