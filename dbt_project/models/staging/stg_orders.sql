select
    {{ record_id('order_key') }} as order_id,
    {{ record_id('store_key', 'store_system') }} as store_id,
    source_system,
    {{ trimmed('order_key') }} as order_key,
    {{ trimmed('customer_key') }} as customer_key,
    {{ trimmed('store_key') }} as store_key,
    channel,
    ordered_at,
    {{ trimmed('currency') }} as currency,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'orders') }}
