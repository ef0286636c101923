select * from {{ ref('stg_products') }}
where {{ is_new_load() }}
