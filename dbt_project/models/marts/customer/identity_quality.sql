with decided as (
    select
        stratum,
        is_linked,
        is_one_person
    from {{ source('identity', 'identity_decided_pairs') }}
    union all
    select
        'all' as stratum,
        is_linked,
        is_one_person
    from {{ source('identity', 'identity_decided_pairs') }}
),

counted as (
    select
        stratum,
        count(is_one_person) as decided_pairs_count,
        sum(case when is_linked then 1 else 0 end) as linked_pairs_count,
        sum(case when is_one_person then 1 else 0 end) as one_person_pairs_count,
        sum(case when is_linked and is_one_person then 1 else 0 end) as right_links_count
    from decided
    group by stratum
)

select
    cast(stratum as varchar) as stratum,
    cast(decided_pairs_count as bigint) as decided_pairs_count,
    cast(linked_pairs_count as bigint) as linked_pairs_count,
    cast(one_person_pairs_count as bigint) as one_person_pairs_count,
    cast(right_links_count as bigint) as right_links_count,
    {{ ratio('right_links_count', 'linked_pairs_count') }} as precision_rate,
    {{ wilson('right_links_count', 'linked_pairs_count', '-') }} as precision_low_rate,
    {{ wilson('right_links_count', 'linked_pairs_count', '+') }} as precision_high_rate,
    {{ ratio('right_links_count', 'one_person_pairs_count') }} as recall_rate,
    {{ wilson('right_links_count', 'one_person_pairs_count', '-') }} as recall_low_rate,
    {{ wilson('right_links_count', 'one_person_pairs_count', '+') }} as recall_high_rate
from counted
