"""Landing files: the format of each feed, what came at once and what came day by day.

Belongs here: how tables become files, byte for byte the same each time. Does not belong here: what is
in them.
"""

from __future__ import annotations

import gzip
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from retailer import faults
from retailer.days import Days
from retailer.deliveries import Feed

FEW = 100_000
"""Above so many people every feed is Parquet."""
GROUP_ROWS = 250_000


@dataclass(frozen=True)
class Landing:
    """Where files go.

    Attributes:
        folder: of the landing files, a folder per system below.
        scratch: for rows of the last days, until all parts are there.
        is_small: whether feeds have formats of their own.
    """

    folder: Path
    scratch: Path
    days: Days
    is_small: bool

    def form(self, feed: Feed) -> str:
        """The format of a feed, which is also how its files end."""
        return feed.form if self.is_small else "parquet"

    def deliver(self, feed: Feed, part: int, table: pa.Table) -> int:
        """Write what came at once, and keep aside what came day by day.

        Returns:
            Bytes written into the landing folder.
        """
        first = self.days.horizon - faults.DAILY
        old = pc.less(table["_day"], first)
        past, recent = table.filter(old), table.filter(pc.invert(old))
        aside = self.scratch / f"{feed.system}_{feed.name}_{part:04d}.parquet"
        write_parquet(recent, aside)
        return self.write(feed, f"{feed.name}_{part + 1:04d}_history", past.drop_columns(["_day"]))

    def deliver_days(self, feed: Feed, parts: int) -> list[tuple[str, int, int]]:
        """Write a file for each of the last days, of all parts together.

        Returns:
            File (below the landing folder), day on which it arrives, bytes.
        """
        paths = [self.scratch / f"{feed.system}_{feed.name}_{n:04d}.parquet" for n in range(parts)]
        table = pa.concat_tables([pq.read_table(path) for path in paths])
        day = np.asarray(table["_day"])
        order = np.argsort(day, kind="stable")
        table, day = table.take(pa.array(order)).drop_columns(["_day"]), day[order]
        found = []
        for number in np.unique(day):
            low, high = np.searchsorted(day, [number, number + 1])
            rows = self._renamed(feed, int(number), table.slice(low, high - low))
            name = f"{feed.name}_{self.days.date(number)}"
            size = self.write(feed, name, rows)
            key = f"{feed.system}/{feed.name}"
            arrives = faults.arrival(key, int(number), self.days)
            found.append((f"{feed.system}/{name}.{self.form(feed)}", arrives, size))
        return found

    def _renamed(self, feed: Feed, day: int, rows: pa.Table) -> pa.Table:
        is_it = f"{feed.system}/{feed.name}" == faults.RENAMED_FEED
        if is_it and day >= self.days.horizon - faults.RENAMED_BEFORE_END:
            names = [faults.NEW_NAME if n == faults.OLD_NAME else n for n in rows.column_names]
            return rows.rename_columns(names)
        return rows

    def write(self, feed: Feed, name: str, table: pa.Table) -> int:
        """Write a table in the format of its feed; give how many bytes that took."""
        form = self.form(feed)
        if form.startswith("jsonl") and not len(table):
            form = "csv"  # JSON lines without a line do not say what they would hold
        path = self.folder / feed.system / f"{name}.{form}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "parquet":
            write_parquet(self._precise(feed, table), path)
        elif form == "xlsx":
            write_xlsx(table, path)
        elif form.startswith("jsonl"):
            write_json(self._timed(feed, table), path)
        else:
            content = _csv(self._texts(feed, self._timed(feed, table)), feed)
            path.write_bytes(gzip.compress(content, 5, mtime=0) if form.endswith("gz") else content)
        return path.stat().st_size

    def _precise(self, feed: Feed, table: pa.Table) -> pa.Table:
        """The table with times no finer than the system has them, whatever the format."""
        if feed.times != "french":
            return table
        columns = {
            name: pc.floor_temporal(table[name], unit="second")
            if pa.types.is_timestamp(table[name].type) else table[name]
            for name in table.column_names
        }  # fmt: skip
        return pa.table(columns)

    def _timed(self, feed: Feed, table: pa.Table) -> pa.Table:
        """The table with its times as the system writes them."""
        if feed.times == "iso":
            return table
        columns = {}
        for name in table.column_names:
            column = table[name].combine_chunks()
            if pa.types.is_timestamp(column.type):
                column = column.cast(pa.int64()) if feed.times == "epoch" else self._french(column)
            elif pa.types.is_date(column.type) and feed.times == "french":
                column = pc.strftime(column, format="%d/%m/%Y")
            columns[name] = column
        return pa.table(columns)

    def _french(self, column: pa.Array) -> pa.Array:
        seconds = column.cast(pa.int64())
        values = np.asarray(seconds.fill_null(0)) // 1_000
        local = pa.array(
            self.days.local(values), pa.timestamp("s"), mask=np.asarray(column.is_null())
        )
        return pc.strftime(local, format="%d/%m/%Y %H:%M:%S")

    def _texts(self, feed: Feed, table: pa.Table) -> pa.Table:
        columns = {}
        for name in table.column_names:
            column = table[name].combine_chunks()
            if pa.types.is_dictionary(column.type):
                column = column.dictionary_decode()
            if pa.types.is_decimal(column.type) and feed.has_decimal_comma:
                column = pc.replace_substring(column.cast(pa.string()), ".", ",")
            columns[name] = column
        return pa.table(columns)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet, the same bytes each time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table, path, compression="zstd", compression_level=1, row_group_size=GROUP_ROWS,
        store_decimal_as_integer=True,
    )  # fmt: skip


def _csv(table: pa.Table, feed: Feed) -> bytes:
    out = io.BytesIO()
    options = pyarrow.csv.WriteOptions(delimiter=feed.separator, quoting_style="needed")
    pyarrow.csv.write_csv(table, out, options)
    if feed.encoding == "utf-8":
        return out.getvalue()
    return out.getvalue().decode().encode(feed.encoding)


def write_json(table: pa.Table, path: Path) -> None:
    """Write a table as JSON lines, packed when the name ends so."""
    import duckdb

    from intake.sql import literal

    with duckdb.connect(config={"threads": 1}) as con:
        con.register("delivered", table)
        packed = "gzip" if path.suffix == ".gz" else "none"
        con.execute(f"copy delivered to {literal(str(path))} (format json, compression {packed})")


def write_xlsx(table: pa.Table, path: Path) -> None:
    """Write a table as the only sheet of a workbook."""
    from datetime import UTC, datetime

    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
        sheet = book.add_worksheet("Articles")
        sheet.write_row(0, 0, table.column_names)
        for number, row in enumerate(table.to_pylist(), 1):
            values = row.values()
            sheet.write_row(number, 0, [None if v is None else _cell(v) for v in values])


def _cell(value: object) -> object:
    from decimal import Decimal

    return float(value) if isinstance(value, Decimal) else value
