select * from {{ ref('stg_message_events') }}
where {{ is_new_load() }}
