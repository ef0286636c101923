select
    _row,
    magasin as store_key,
    nom as store_name,
    'store' as channel
from magasins
