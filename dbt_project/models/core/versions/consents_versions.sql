select * from {{ ref('stg_consents') }}
where {{ is_new_load() }}
