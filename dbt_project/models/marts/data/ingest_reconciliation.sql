{% set versioned = [
    'customers', 'products', 'stores', 'orders', 'order_lines', 'returns', 'campaigns', 'campaign_assignments',
    'coupons', 'coupon_redemptions', 'enrichment', 'consents', 'web_events', 'messages', 'message_events',
    'interactions', 'social_activity', 'reviews', 'referrals', 'ad_spend', 'erasure_requests',
    'product_prices', 'exchange_rates'
] %}
{#- Entities that no model reads yet: kept in the lake, without a version table. -#}
{% set kept = ['channel_costs', 'life_events', 'steward_decisions'] %}

with register as (
    select
        load_id,
        entity,
        min(load_seq) as load_seq,
        min(loaded_at) as loaded_at,
        min(source_system) as source_system,
        min(file_name) as file_name,
        max(read_rows) as read_rows_count,
        max(stored_rows) as stored_rows_count,
        coalesce(sum(rows_count) filter (where outcome = 'accepted'), 0) as accepted_rows_count,
        coalesce(sum(rows_count) filter (where outcome = 'quarantined'), 0) as quarantined_rows_count,
        coalesce(sum(rows_count) filter (where outcome = 'excluded'), 0) as excluded_rows_count,
        coalesce(sum(rows_count) filter (where outcome = 'not_applicable'), 0) as not_applicable_rows_count,
        coalesce(sum(rows_count) filter (where outcome = 'redelivered'), 0) as redelivered_rows_count,
        sum(rows_count) as accounted_rows_count
    from {{ source('ledger', 'loads') }}
    group by load_id, entity
),

raw_rows as (
    {% for entity in versioned + kept %}
        select '{{ entity }}' as entity, _load_id as load_id, count(*) as rows_count
        from {{ source('raw', entity) }}
        group by _load_id
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

version_rows as (
    {% for entity in versioned %}
        select '{{ entity }}' as entity, _load_id as load_id, count(*) as rows_count
        from {{ ref(entity ~ '_versions') }}
        group by _load_id
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Loads the register does not know belong here too: they are differences.
loads as (
    select entity, load_id from register
    union distinct
    select entity, load_id from raw_rows
    union distinct
    select entity, load_id from version_rows
),

reconciliation as (
    select
        loads.load_id,
        loads.entity,
        register.load_seq,
        register.loaded_at,
        register.source_system,
        register.file_name,
        coalesce(register.read_rows_count, 0) as read_rows_count,
        coalesce(register.accepted_rows_count, 0) as accepted_rows_count,
        coalesce(register.quarantined_rows_count, 0) as quarantined_rows_count,
        coalesce(register.excluded_rows_count, 0) as excluded_rows_count,
        coalesce(register.not_applicable_rows_count, 0) as not_applicable_rows_count,
        coalesce(register.redelivered_rows_count, 0) as redelivered_rows_count,
        coalesce(register.read_rows_count - register.accounted_rows_count, 0) as difference_rows_count,
        coalesce(register.stored_rows_count, 0) as stored_rows_count,
        coalesce(raw_rows.rows_count, 0) as raw_rows_count,
        case
            {% for entity in kept %}
                when loads.entity = '{{ entity }}' then null
            {% endfor %}
            else coalesce(version_rows.rows_count, 0)
        end as version_rows_count
    from loads
    left join register on loads.load_id = register.load_id and loads.entity = register.entity
    left join raw_rows on loads.load_id = raw_rows.load_id and loads.entity = raw_rows.entity
    left join version_rows on loads.load_id = version_rows.load_id and loads.entity = version_rows.entity
)

select
    cast(load_id as varchar) as load_id,
    cast(entity as varchar) as entity,
    cast(load_seq as bigint) as load_seq,
    cast(loaded_at as timestamp) as loaded_at,
    cast(source_system as varchar) as source_system,
    cast(file_name as varchar) as file_name,
    cast(read_rows_count as bigint) as read_rows_count,
    cast(accepted_rows_count as bigint) as accepted_rows_count,
    cast(quarantined_rows_count as bigint) as quarantined_rows_count,
    cast(excluded_rows_count as bigint) as excluded_rows_count,
    cast(not_applicable_rows_count as bigint) as not_applicable_rows_count,
    cast(redelivered_rows_count as bigint) as redelivered_rows_count,
    cast(difference_rows_count as bigint) as difference_rows_count,
    cast(stored_rows_count as bigint) as stored_rows_count,
    cast(raw_rows_count as bigint) as raw_rows_count,
    cast(version_rows_count as bigint) as version_rows_count,
    load_seq is not null as is_registered,
    load_seq is not null
    and difference_rows_count = 0
    and raw_rows_count = stored_rows_count
    and coalesce(version_rows_count, raw_rows_count) = raw_rows_count as is_reconciled
from reconciliation
