select * from {{ ref('stg_ad_spend') }}
where {{ is_new_load() }}
