select
    cast(left_source_system as varchar) as left_source_system,
    cast(left_source_key as varchar) as left_source_key,
    cast(right_source_system as varchar) as right_source_system,
    cast(right_source_key as varchar) as right_source_key,
    cast(weight_bits as double) as weight_bits,
    cast(state as varchar) as state,
    cast(reason as varchar) as reason
from {{ source('identity', 'identity_review') }}
