select * from {{ ref('stg_stores') }}
where {{ is_new_load() }}
