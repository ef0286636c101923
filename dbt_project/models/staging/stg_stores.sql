select
    {{ record_id('store_key') }} as store_id,
    source_system,
    {{ trimmed('store_key') }} as store_key,
    {{ trimmed('store_name') }} as store_name,
    {{ trimmed('channel') }} as channel,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'stores') }}
