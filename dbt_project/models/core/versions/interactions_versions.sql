select * from {{ ref('stg_interactions') }}
where {{ is_new_load() }}
