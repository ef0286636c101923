select * from {{ ref('stg_orders') }}
where {{ is_new_load() }}
