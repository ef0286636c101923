select
    _row,
    coupon_upc as coupon_key,
    household_id as customer_key,
    campaign_id as campaign_key,
    redemption_date as redeemed_at
from coupon_redemptions
