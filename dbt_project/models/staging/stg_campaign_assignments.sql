select
    {{ record_id('campaign_key') }} as campaign_id,
    source_system,
    {{ trimmed('campaign_key') }} as campaign_key,
    {{ trimmed('customer_key') }} as customer_key,
    assigned_at,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'campaign_assignments') }}
