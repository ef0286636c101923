{{ config(materialized='table') }}

-- The newest version of each decision, whatever the as-of date: who is who is known now.
with versions as (
    select
        *,
        row_number() over (
            partition by source_system, decision_key
            order by _version_at desc nulls last, _load_seq desc, _load_id desc, _row desc
        ) as newest_rank
    from {{ source('raw', 'steward_decisions') }}
)

select
    source_system || ':' || {{ trimmed('decision_key') }} as decision_key,
    decision,
    {{ trimmed('left_source_system') }} as left_source_system,
    {{ trimmed('left_customer_key') }} as left_source_key,
    {{ trimmed('right_source_system') }} as right_source_system,
    {{ trimmed('right_customer_key') }} as right_source_key,
    decided_at
from versions
where newest_rank = 1 and not coalesce(_is_deleted, false) and decision_status = 'active'
