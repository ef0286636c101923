select
    source_system,
    rate_date,
    {{ trimmed('base_currency') }} as base_currency,
    {{ trimmed('quote_currency') }} as quote_currency,
    exchange_rate,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'exchange_rates') }}
