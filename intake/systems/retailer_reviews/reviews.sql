select
    _row,
    review_id as review_key,
    submitted_at as reviewed_at,
    account_id as customer_key,
    sku as product_key,
    order_id as order_key,
    stars as rating,
    language as language_code,
    'true' as is_verified_purchase,
    'published' as review_status,
    text as review_text
from reviews
