with sums as (
    select
        started_date,
        interaction_type,
        count(*) as interactions_count,
        count(answered_at) as answered_count,
        count(wait_seconds) as waits_count,
        sum(wait_seconds) as wait_seconds,
        count(handling_seconds) as handled_count,
        sum(handling_seconds) as handling_seconds,
        count(satisfaction_rating) as ratings_count,
        sum(satisfaction_rating) as ratings,
        count(*) filter (where is_complaint) as complaints_count,
        count(is_first_contact_resolved) as resolution_known_count,
        count(*) filter (where is_first_contact_resolved) as first_contact_resolved_count,
        sum(cost_amount) as cost_amount
    from {{ ref('fct_interactions') }}
    group by started_date, interaction_type
)

select
    started_date,
    cast(interaction_type as varchar) as interaction_type,
    interactions_count,
    answered_count,
    {{ ratio('answered_count', 'interactions_count') }} as answer_rate,
    {{ ratio('wait_seconds', 'waits_count') }} as wait_mean_seconds,
    {{ ratio('handling_seconds', 'handled_count') }} as handling_mean_seconds,
    ratings_count,
    {{ ratio('ratings', 'ratings_count') }} as satisfaction_mean_rating,
    complaints_count,
    resolution_known_count,
    first_contact_resolved_count,
    {{ ratio('first_contact_resolved_count', 'resolution_known_count') }} as first_contact_resolution_rate,
    cast(cost_amount as decimal(18, 4)) as cost_amount
from sums
