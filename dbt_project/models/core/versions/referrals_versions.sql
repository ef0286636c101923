select * from {{ ref('stg_referrals') }}
where {{ is_new_load() }}
