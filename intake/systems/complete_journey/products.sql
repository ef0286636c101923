select
    _row,
    product_id as product_key,
    brand,
    department,
    product_category as category,
    product_type as subcategory,
    package_size,
    manufacturer_id as manufacturer_key
from products
