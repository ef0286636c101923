select
    _row,
    activity_id as activity_key,
    "at" as occurred_at,
    network as platform,
    activity as activity_type,
    profile as customer_key,
    text as activity_text
from activity
