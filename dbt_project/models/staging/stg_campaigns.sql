select
    {{ record_id('campaign_key') }} as campaign_id,
    source_system,
    {{ trimmed('campaign_key') }} as campaign_key,
    {{ trimmed('campaign_name') }} as campaign_name,
    {{ trimmed('campaign_type') }} as campaign_type,
    start_date,
    end_date,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'campaigns') }}
