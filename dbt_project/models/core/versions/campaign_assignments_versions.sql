select * from {{ ref('stg_campaign_assignments') }}
where {{ is_new_load() }}
