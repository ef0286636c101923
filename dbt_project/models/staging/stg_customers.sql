select
    source_system,
    {{ trimmed('customer_key') }} as customer_key,
    created_at,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'customers') }}
