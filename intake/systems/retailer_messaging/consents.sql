select
    _row,
    consent as consent_key,
    contact as customer_key,
    address as contact_point,
    channel,
    purpose,
    status as consent_status,
    decided_at,
    'consent' as legal_basis
from consents
