select
    _row,
    ticket as order_key,
    article as product_key,
    'retailer_catalogue' as product_system,
    quantite as quantity,
    montant as net_amount,
    remise as discount_amount,
    remise_coupon as coupon_amount
from lignes
