select
    _row,
    campaign as campaign_key,
    contact as customer_key,
    coalesce(
        strftime(make_timestamp(try_cast(cast(assigned_at as varchar) as bigint) * 1000), '%Y-%m-%d %H:%M:%S.%g'),
        cast(assigned_at as varchar)
    ) as assigned_at
from assignments
