select * from {{ ref('stg_web_events') }}
where {{ is_new_load() }}
