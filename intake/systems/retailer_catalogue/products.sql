select
    _row,
    sku as product_key,
    libelle as product_name,
    marque as brand,
    rayon as department,
    categorie as category
from articles
