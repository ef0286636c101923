select
    _row,
    parrainage as referral_key,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/Paris', try_strptime(cast("date" as varchar), '%d/%m/%Y %H:%M:%S'))),
            '%Y-%m-%d %H:%M:%S'
        ),
        cast("date" as varchar)
    ) as referred_at,
    parrain as referrer_customer_key,
    filleul as referred_customer_key,
    statut as referral_status,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/Paris', try_strptime(cast(date_achat as varchar), '%d/%m/%Y %H:%M:%S'))),
            '%Y-%m-%d %H:%M:%S'
        ),
        cast(date_achat as varchar)
    ) as converted_at,
    prime as reward_amount,
    coalesce(
        strftime(
            timezone('UTC', timezone('Europe/Paris', try_strptime(cast(maj as varchar), '%d/%m/%Y %H:%M:%S'))),
            '%Y-%m-%d %H:%M:%S'
        ),
        cast(maj as varchar)
    ) as updated_at
from parrainages
