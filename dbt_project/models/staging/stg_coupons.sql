select
    {{ record_id('coupon_key') }} as coupon_id,
    {{ record_id('campaign_key') }} as campaign_id,
    {{ record_id('product_key') }} as product_id,
    source_system,
    {{ trimmed('coupon_key') }} as coupon_key,
    {{ trimmed('product_key') }} as product_key,
    {{ trimmed('campaign_key') }} as campaign_key,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'coupons') }}
