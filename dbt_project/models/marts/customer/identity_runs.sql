select
    cast(run_at as timestamp) as run_at,
    cast(model_version as varchar) as model_version,
    cast(model_kind as varchar) as model_kind,
    cast(records_count as bigint) as records_count,
    cast(changed_count as bigint) as changed_count,
    cast(pairs_count as bigint) as pairs_count,
    cast(customers_count as bigint) as customers_count,
    cast(created_count as bigint) as created_count,
    cast(merged_count as bigint) as merged_count,
    cast(split_count as bigint) as split_count,
    cast(moved_count as bigint) as moved_count,
    cast(regrouped_count as bigint) as regrouped_count,
    cast(refused_count as bigint) as refused_count,
    cast(largest_count as bigint) as largest_count
from {{ source('identity', 'identity_runs') }}
