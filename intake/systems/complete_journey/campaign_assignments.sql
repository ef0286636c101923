-- The source does not say when a household was put into a campaign.
select
    _row,
    campaign_id as campaign_key,
    household_id as customer_key
from campaigns
