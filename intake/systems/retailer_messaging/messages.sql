select
    _row,
    message as message_key,
    coalesce(
        strftime(make_timestamp(try_cast(cast(sent_at as varchar) as bigint) * 1000), '%Y-%m-%d %H:%M:%S.%g'),
        cast(sent_at as varchar)
    ) as sent_at,
    channel,
    'marketing' as purpose,
    contact as customer_key,
    campaign as campaign_key,
    theme as message_theme,
    cost as cost_amount
from messages
