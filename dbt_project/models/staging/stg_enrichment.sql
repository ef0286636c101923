select
    source_system,
    {{ trimmed('customer_key') }} as customer_key,
    {{ trimmed('age_band') }} as age_band,
    {{ trimmed('income_band') }} as income_band,
    {{ trimmed('home_ownership') }} as home_ownership,
    {{ trimmed('marital_status') }} as marital_status,
    {{ trimmed('household_size') }} as household_size,
    {{ trimmed('household_composition') }} as household_composition,
    {{ trimmed('children_count') }} as children_count,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'enrichment') }}
