select * from {{ ref('stg_coupons') }}
where {{ is_new_load() }}
