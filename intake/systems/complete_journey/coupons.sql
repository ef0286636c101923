select
    _row,
    coupon_upc as coupon_key,
    product_id as product_key,
    campaign_id as campaign_key
from coupons
