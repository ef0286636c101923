"""What tests of the intake share: the rows a lake holds, and a file that is refused."""

from __future__ import annotations

import duckdb
import pytest

from intake.fault import InputFault
from intake.lake import Lake
from tests.conftest import Shop, load


def stored(lake: Lake, table: str, source: str = "raw") -> list[dict[str, object]]:
    """Live rows of a table, oldest load first."""
    files = [
        str(lake.path(f))
        for r in lake.live()
        for f in r.files
        if (f.source, f.table) == (source, table)
    ]
    if not files:
        return []
    with duckdb.connect() as con:
        found = con.execute("select * from read_parquet(?)", [files])
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def refusal(lake: Lake, shop: Shop, entity: str = "orders") -> InputFault:
    with pytest.raises(InputFault) as raised:
        load(lake, shop, entity)
    assert not lake.live("load"), "a refused file leaves nothing in the lake"
    assert not list((lake.root / "raw").rglob("*.parquet"))
    return raised.value
