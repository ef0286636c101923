select
    _row,
    event as message_event_key,
    message as message_key,
    type as event_type,
    coalesce(
        strftime(make_timestamp(try_cast(cast("at" as varchar) as bigint) * 1000), '%Y-%m-%d %H:%M:%S.%g'),
        cast("at" as varchar)
    ) as occurred_at,
    detail as bounce_type
from events
