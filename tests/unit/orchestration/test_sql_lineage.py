"""What the columns of a query are made of: what sqlglot's own lineage says, and what it does not."""

from __future__ import annotations

import pytest
from sqlglot.errors import SqlglotError

from orchestration.sql_lineage import Relation, Trace, trace

TABLES = {
    "core.orders": Relation(("order_id", "customer_id", "ordered_at", "amount"), ("order_id",)),
    "core.customers": Relation(("customer_id", "name"), ("customer_id",)),
    "core.lines": Relation(("line_id", "order_id", "price", "is_gift"), ("line_id",)),
    "moment.run": Relation(("as_of",), ()),
}


def traced(sql: str) -> Trace:
    return trace(sql, TABLES, "duckdb")


def made_of(sql: str, column: str = "x") -> set[str]:
    return {f"{table.split('.')[1]}.{name}" for table, name in traced(sql).columns[column]}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        # A value is made of its expression, through parts, stars and unions.
        ("select amount + 1 as x from core.orders where ordered_at > date '2020-01-01'",
         {"orders.amount"}),
        ("with a as (select * from core.orders) select upper(b.customer_id) as x from a as b",
         {"orders.customer_id"}),
        ("select name as x from core.customers union all select customer_id from core.orders",
         {"customers.name", "orders.customer_id"}),
        ("select case when o.amount > 0 then c.name end as x from core.orders as o"
         " join core.customers as c using (customer_id)", {"orders.amount", "customers.name"}),
        ("select sum(amount) filter (where ordered_at < as_of) as x from core.orders"
         " cross join moment.run", {"orders.amount", "orders.ordered_at", "run.as_of"}),
        ("select lag(amount) over (partition by customer_id order by ordered_at) as x"
         " from core.orders", {"orders.amount", "orders.customer_id", "orders.ordered_at"}),
        ("select (select max(ordered_at) from core.orders) as x from core.customers",
         {"orders.ordered_at"}),
        # A count is made of what it counts, a rank of what it orders by.
        ("select count(*) as x from core.orders", {"orders.order_id"}),
        ("select count(distinct customer_id) as x from core.orders", {"orders.customer_id"}),
        ("select count(case when amount > 0 then 1 end) as x from core.orders",
         {"orders.order_id", "orders.amount"}),
        ("select customer_id, count(*) as x from core.orders group by customer_id",
         {"orders.order_id"}),
        ("with a as (select distinct customer_id from core.orders) select count(*) as x from a",
         {"orders.customer_id"}),
        ("with a as (select customer_id from core.orders group by 1) select count(*) over () as x"
         " from a", {"orders.customer_id"}),
        ("select rank() over (order by amount desc) as x from core.orders", {"orders.amount"}),
        ("select row_number() over () as x from core.orders", {"orders.order_id"}),
        ("select o.order_id, count(*) as x from core.orders as o"
         " left join core.lines as l on o.order_id = l.order_id group by o.order_id",
         {"orders.order_id", "lines.line_id"}),
        # A join on the whole key of a table finds at most one row, so a count is not made of it.
        ("select count(*) as x from core.orders as o"
         " left join core.customers as c on o.customer_id = c.customer_id", {"orders.order_id"}),
        ("with c as (select customer_id as id from core.customers group by customer_id)"
         " select count(*) as x from core.orders as o join c on o.customer_id = c.id",
         {"orders.order_id"}),
        # Whether a row was found is made of what decides that there is one.
        ("select l.order_id is not null as x from core.orders as o"
         " left join core.lines as l on o.order_id = l.order_id",
         {"lines.order_id", "lines.line_id"}),
        ("with g as (select distinct o.customer_id from core.orders as o"
         " join core.lines as l on o.order_id = l.order_id)"
         " select g.customer_id is null as x from core.customers as c"
         " left join g on c.customer_id = g.customer_id",
         {"orders.customer_id", "orders.order_id", "lines.line_id"}),
        # Constants are made of nothing.
        ("select 'all' as x from core.orders", set()),
        ("select t.x from (values ('a'), ('b')) as t (x) cross join core.orders", set()),
    ],
)  # fmt: skip
def test_a_column_is_made_of(sql: str, columns: set[str]) -> None:
    assert made_of(sql) == columns


def test_the_key_of_a_query_are_the_columns_that_tell_its_rows_apart() -> None:
    assert traced("select order_id, upper(order_id) as big, amount from core.orders").key() == (
        "order_id", "big",
    )  # fmt: skip
    grouped = (
        "select customer_id, count(*) as orders, max(amount) as most from core.orders group by 1"
    )
    assert traced(grouped).key() == ("customer_id",)


def test_a_column_that_is_not_there_is_an_error_and_not_an_empty_answer() -> None:
    with pytest.raises(SqlglotError):
        traced("select price as x from core.orders")
