select * from {{ ref('stg_erasure_requests') }}
where {{ is_new_load() }}
