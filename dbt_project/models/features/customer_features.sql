with run as (
    select as_of from {{ source('moment', 'run') }}
),

features as (
    select features.*
    from {{ ref('customer_as_of_features') }} as features
    inner join run on features.as_of_date = run.as_of
)

select * from features
