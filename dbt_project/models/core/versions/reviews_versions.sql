select * from {{ ref('stg_reviews') }}
where {{ is_new_load() }}
