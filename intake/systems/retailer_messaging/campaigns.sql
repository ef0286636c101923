select
    _row,
    campaign as campaign_key,
    name as campaign_name,
    channel as campaign_type,
    starts_on as start_date,
    ends_on as end_date
from campaigns
