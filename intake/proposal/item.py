"""Items: one column of a contract each, with the SQL that gives it and what to check about it.

How a column is written in SQL, and what stands for one that no file has. Which columns an entity gets,
and whether the file feeds it at all, is decided in `mapping.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from intake.contract import contracts
from intake.profile import NumberForm
from intake.proposal.delivery import Delivery
from intake.proposal.meaning import DATES, NUMBERS, Meaning, Meanings
from intake.proposal.name import named, shown

AMOUNT_QUESTION = "; is it before tax and after discount?"
"""What the contract means by the amount of a line, and files seldom say."""


@dataclass(frozen=True)
class Item:
    """One column of a contract, the SQL that gives it, and what to check about it."""

    field: str
    sql: str
    doubts: tuple[str, ...] = ()


def column_sql(told: Meaning, meaning: str) -> str:
    """The column as the contract can cast it: still text, with numbers and dates in plain writing."""
    column = told.column
    name = named(column.name)
    if meaning in DATES and column.dates:
        padded = f"trim({name})" if column.is_padded and column.dates.format else name
        return column.dates.iso(padded)
    if not column.is_text:
        may_be_whole = meaning.endswith("_key") and column.type in ("double", "float")
        is_whole = may_be_whole and column.numbers and column.numbers.is_whole
        return f"cast({name} as bigint)" if is_whole else name
    if meaning in NUMBERS and column.numbers:
        return column.numbers.plain(name)
    # Groups are made before the contract trims.
    return f"trim({name})" if column.is_padded and meaning.endswith("_key") else name


def last_of_record(sql: str) -> str:
    """SQL of one value for the rows of a record: the last that the file gives."""
    return f"max_by({sql}, _row)"


def row_as_key() -> Item:
    """The key of orders in a file that numbers none."""
    doubt = (
        "no column names the order, so each row is one order, by its number in the file; a second"
        " file would give the same numbers again"
    )
    return Item("order_key", "_row", (doubt,))


def channel(told: Meaning | None, is_derived: bool) -> Item:
    """The channel of a store: the file's, where it uses the contract's words."""
    allowed = next(f.allowed for f in contracts()["stores"].fields if f.name == "channel")
    if told and told.column.few and {value.lower() for value in told.column.few} <= set(allowed):
        sql = f"lower({column_sql(told, 'channel')})"
        return Item("channel", last_of_record(sql) if is_derived else sql)
    return Item(
        "channel", "'store'", (f"every store is taken for 'store', of {', '.join(allowed)}",)
    )


def line_items(delivery: Delivery) -> Iterator[Item]:
    """The columns of order lines, which each row of the file is one of."""
    found = delivery.meanings
    key = found.get("order_key")
    yield Item("order_key", column_sql(key, "order_key"), key.doubts) if key else row_as_key()
    if "product_key" in found:
        yield Item("product_key", column_sql(found["product_key"], "product_key"))
    yield _quantity(found.get("quantity"))
    amount = _net_amount(found, delivery.has_lines)
    if amount:
        yield amount
    for name in ("discount_amount", "coupon_amount"):
        yield _reduction(name, found.get(name))
    told = found.get("updated_at")
    if told:
        yield Item("updated_at", column_sql(told, "updated_at"), told.doubts)


def _quantity(told: Meaning | None) -> Item:
    if not told:
        return Item("quantity", "1", ("no column counts units, so each row is one",))
    form = told.column.numbers
    negative = form.negatives if form else 0
    returns = (
        f"{negative:,} of the first rows have a quantity below 0, which the contract refuses; returns"
        " get a named rule under exclude in source.yaml"
    )
    return Item(
        "quantity", column_sql(told, "quantity"), (*told.doubts, *([returns] if negative else []))
    )


def _net_amount(found: Meanings, has_lines: bool) -> Item | None:
    """The line's amount, from the column that is nearest to what the contract means by it."""
    if "net_amount" in found:
        told = found["net_amount"]
        doubt = f"{shown(told.column.name)} is taken for the amount of the line{AMOUNT_QUESTION}"
    elif "unit_price" in found:
        return _price_times_quantity(found["unit_price"], found.get("quantity"))
    elif "order_total" in found:
        told = found["order_total"]
        doubt = f"{shown(told.column.name)} is taken for the amount{AMOUNT_QUESTION}"
        if has_lines:
            doubt += " If each row repeats the total of its order, it counts too often."
    elif "gross_amount" in found:
        told = found["gross_amount"]
        doubt = f"{shown(told.column.name)} seems to hold tax; net_amount is without"
    else:
        return None
    return Item("net_amount", column_sql(told, "net_amount"), (*told.doubts, doubt))


def _price_times_quantity(price: Meaning, quantity: Meaning | None) -> Item:
    sql, what = column_sql(price, "unit_price"), shown(price.column.name)
    if quantity:
        sql = (
            f"try_cast({sql} as decimal(18, 4))"
            f" * try_cast({column_sql(quantity, 'quantity')} as decimal(18, 3))"
        )
        what += f" times {shown(quantity.column.name)}"
    return Item(
        "net_amount", sql, (*price.doubts, f"{what} is taken for net_amount{AMOUNT_QUESTION}")
    )


def _reduction(name: str, told: Meaning | None) -> Item:
    """What was taken off the line, as an amount that is not below 0."""
    form = told.column.numbers if told else None
    if not told or not form:
        return Item(name, "0")
    what = shown(told.column.name)
    if _is_share(form):
        doubt = f"{what} looks like a share, not an amount; it is left out"
        return Item(name, "0", (*told.doubts, doubt))
    sql = column_sql(told, name)
    filled = f"coalesce({sql}, 0)"
    if told.column.is_text:
        filled = f"coalesce(nullif(trim({sql}), ''), '0')"
    doubts = (*told.doubts, f"{what} is taken for {name} of the line, as an amount")
    if form.negatives and form.highest <= 0:
        return Item(name, f"-try_cast({filled} as decimal(18, 4))", doubts)
    if form.negatives:
        doubts = (*doubts, "some are below 0, which the contract refuses")
    return Item(name, filled, doubts)


def _is_share(form: NumberForm) -> bool:
    return "%" in form.noise or (form.highest <= 1 and not form.is_whole)
