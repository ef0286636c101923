select * from {{ ref('stg_enrichment') }}
where {{ is_new_load() }}
