select
    source_system,
    {{ record_id('product_key', 'product_system') }} as product_id,
    {{ trimmed('product_key') }} as product_key,
    start_date,
    price_amount,
    unit_cost_amount,
    {{ trimmed('currency') }} as currency,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'product_prices') }}
