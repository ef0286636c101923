select
    _row,
    canal as channel,
    libelle as cost_name,
    coalesce(
        strftime(try_strptime(cast(debut as varchar), '%d/%m/%Y'), '%Y-%m-%d'), cast(debut as varchar)
    ) as start_date,
    coalesce(
        strftime(try_strptime(cast(fin as varchar), '%d/%m/%Y'), '%Y-%m-%d'), cast(fin as varchar)
    ) as end_date,
    base as cost_basis,
    cout as cost_amount
from couts
