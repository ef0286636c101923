select * from {{ ref('stg_product_prices') }}
where {{ is_new_load() }}
