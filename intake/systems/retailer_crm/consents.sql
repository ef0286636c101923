select
    _row,
    consent as consent_key,
    contact as customer_key,
    'all' as channel,
    purpose,
    status as consent_status,
    decided_at,
    'consent' as legal_basis
from consentements
