select
    {{ record_id('product_key') }} as product_id,
    source_system,
    {{ trimmed('product_key') }} as product_key,
    {{ trimmed('product_name') }} as product_name,
    {{ trimmed('brand') }} as brand,
    {{ trimmed('department') }} as department,
    {{ trimmed('category') }} as category,
    {{ trimmed('subcategory') }} as subcategory,
    {{ trimmed('package_size') }} as package_size,
    {{ trimmed('manufacturer_key') }} as manufacturer_key,
    updated_at,
    _row,
    _version_at,
    coalesce(_is_deleted, false) as _is_deleted,
    _load_id,
    _load_seq,
    _loaded_at
from {{ source('raw', 'products') }}
