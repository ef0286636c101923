-- sales_value is what the retailer receives: loyalty reductions and the retailer's match of coupons
-- are already out of it, the manufacturer's coupon is in it.
select
    _row,
    basket_id as order_key,
    product_id as product_key,
    quantity,
    sales_value as net_amount,
    retail_disc + coupon_match_disc as discount_amount,
    coupon_disc as coupon_amount
from transactions
