-- A ticket knows the card, not its holder: the card is a record of its own.
select
    _row,
    ticket as order_key,
    carte as customer_key,
    magasin as store_key,
    'retailer_catalogue' as store_system,
    'store' as channel,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/Paris', try_strptime(cast(date_heure as varchar), '%d/%m/%Y %H:%M:%S'))),
            '%Y-%m-%d %H:%M:%S'
        ),
        cast(date_heure as varchar)
    ) as ordered_at
from tickets
