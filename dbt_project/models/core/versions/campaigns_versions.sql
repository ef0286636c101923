select * from {{ ref('stg_campaigns') }}
where {{ is_new_load() }}
