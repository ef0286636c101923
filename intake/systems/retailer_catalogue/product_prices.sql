select
    _row,
    sku as product_key,
    coalesce(
        strftime(try_strptime(cast(depuis as varchar), '%d/%m/%Y'), '%Y-%m-%d'), cast(depuis as varchar)
    ) as start_date,
    prix_ttc as price_amount,
    cout_ht as unit_cost_amount
from prix
