select * from {{ ref('stg_messages') }}
where {{ is_new_load() }}
