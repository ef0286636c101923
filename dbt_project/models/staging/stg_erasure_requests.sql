select
    {{ record_id('request_key') }} as request_id,
    source_system,
    {{ trimmed('request_key') }} as request_key,
    requested_at,
    request_status,
    {{ trimmed('record_source_system') }} as record_source_system,
    {{ trimmed('record_customer_key') }} as record_customer_key,
    {{ trimmed('email') }} as email,
    {{ trimmed('phone') }} as phone,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'erasure_requests') }}
