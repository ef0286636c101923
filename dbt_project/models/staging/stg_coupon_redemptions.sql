select
    {{ record_id('coupon_key') }} as coupon_id,
    {{ record_id('campaign_key', 'campaign_system') }} as campaign_id,
    source_system,
    {{ trimmed('coupon_key') }} as coupon_key,
    {{ trimmed('customer_key') }} as customer_key,
    {{ trimmed('campaign_key') }} as campaign_key,
    redeemed_at,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'coupon_redemptions') }}
