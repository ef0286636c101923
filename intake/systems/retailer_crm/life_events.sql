select
    _row,
    id as life_event_key,
    contact as customer_key,
    type as life_event_type,
    coalesce(
        strftime(try_strptime(cast("date" as varchar), '%d/%m/%Y'), '%Y-%m-%d'), cast("date" as varchar)
    ) as event_date,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/Paris', try_strptime(cast(declared_at as varchar), '%d/%m/%Y %H:%M:%S'))),
            '%Y-%m-%d %H:%M:%S'
        ),
        cast(declared_at as varchar)
    ) as reported_at
from evenements
