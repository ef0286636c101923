select
    _row,
    campaign_id as campaign_key,
    'Campaign ' || campaign_id as campaign_name,
    campaign_type,
    start_date,
    end_date
from campaign_descriptions
