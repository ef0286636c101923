select
    {{ record_id('message_event_key') }} as message_event_id,
    {{ record_id('message_key') }} as message_id,
    source_system,
    {{ trimmed('message_event_key') }} as message_event_key,
    {{ trimmed('message_key') }} as message_key,
    {{ trimmed('customer_key') }} as customer_key,
    event_type,
    occurred_at,
    is_machine,
    bounce_type,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'message_events') }}
