select
    cast(event_seq as bigint) as event_seq,
    cast(event_at as timestamp) as event_at,
    cast(event_type as varchar) as event_type,
    cast(source_system as varchar) as source_system,
    cast(source_key as varchar) as source_key,
    cast(from_customer_id as varchar) as from_customer_id,
    cast(to_customer_id as varchar) as to_customer_id,
    cast(to_strict_customer_id as varchar) as to_strict_customer_id,
    cast(rule as varchar) as rule,
    cast(model_version as varchar) as model_version
from {{ source('identity', 'identity_events') }}
