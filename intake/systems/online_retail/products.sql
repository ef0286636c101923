-- Some codes come in both cases, and under several descriptions: the last one given is the name.
select
    upper(trim(stock_code)) as product_key,
    arg_max(trim(description), _row) filter (trim(description) <> '') as product_name,
    min(_row) as _row,
    count(*) as _row_count
from invoice_lines
group by upper(trim(stock_code))
