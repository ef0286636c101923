select * from {{ ref('stg_exchange_rates') }}
where {{ is_new_load() }}
