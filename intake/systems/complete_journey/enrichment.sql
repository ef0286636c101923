select
    _row,
    household_id as customer_key,
    age as age_band,
    income as income_band,
    home_ownership,
    marital_status,
    household_size,
    household_comp as household_composition,
    kids_count as children_count
from demographics
