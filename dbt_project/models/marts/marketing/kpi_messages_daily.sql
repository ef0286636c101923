with sums as (
    select
        sent_date,
        channel,
        purpose,
        count(*) as sent_count,
        count(delivered_at) as delivered_count,
        count(bounced_at) filter (where delivered_at is null) as bounced_count,
        count(opened_at) as opened_count,
        count(machine_opened_at) as machine_opened_count,
        count(clicked_at) as clicked_count,
        count(replied_at) as replied_count,
        count(unsubscribed_at) as unsubscribed_count,
        count(complained_at) as complained_count,
        sum(cost_amount) as cost_amount
    from {{ ref('fct_messages') }}
    group by sent_date, channel, purpose
)

select
    sent_date,
    cast(channel as varchar) as channel,
    cast(purpose as varchar) as purpose,
    sent_count,
    delivered_count,
    {{ ratio('delivered_count', 'sent_count') }} as delivery_rate,
    bounced_count,
    {{ ratio('bounced_count', 'sent_count') }} as bounce_rate,
    opened_count,
    {{ ratio('opened_count', 'delivered_count') }} as open_rate,
    machine_opened_count,
    clicked_count,
    {{ ratio('clicked_count', 'delivered_count') }} as click_rate,
    {{ ratio('clicked_count', 'opened_count') }} as click_to_open_rate,
    replied_count,
    unsubscribed_count,
    {{ ratio('unsubscribed_count', 'delivered_count') }} as unsubscribe_rate,
    complained_count,
    {{ ratio('complained_count', 'delivered_count') }} as complaint_rate,
    cast(cost_amount as decimal(18, 4)) as cost_amount
from sums
