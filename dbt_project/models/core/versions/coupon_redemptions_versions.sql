select * from {{ ref('stg_coupon_redemptions') }}
where {{ is_new_load() }}
