select
    {{ record_id('order_key') }} as order_id,
    {{ record_id('product_key', 'product_system') }} as product_id,
    source_system,
    {{ trimmed('order_key') }} as order_key,
    {{ trimmed('product_key') }} as product_key,
    quantity,
    net_amount,
    discount_amount,
    coupon_amount,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'order_lines') }}
