select
    _row,
    review_id as review_key,
    submitted_at as reviewed_at,
    account_id as customer_key,
    'retailer_shop' as customer_system,
    sku as product_key,
    'retailer_catalogue' as product_system,
    order_id as order_key,
    'retailer_shop' as order_system,
    stars as rating,
    language as language_code,
    'true' as is_verified_purchase,
    'published' as review_status,
    text as review_text
from reviews
