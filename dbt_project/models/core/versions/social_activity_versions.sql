select * from {{ ref('stg_social_activity') }}
where {{ is_new_load() }}
