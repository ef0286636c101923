"""Proposals: from the files of a stranger to a system that loads as it stands.

What the columns may mean, which entities they feed, and the `source.yaml` and mappings that say so,
with a TODO wherever the guess needs a person. What a file looks like is found in `profile.py`; the
words that files use are in `synonyms.yaml`.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import shutil
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import yaml

from intake.contract import Contract, contracts
from intake.fault import InputFault
from intake.profile import Column, FileProfile, profile_file
from intake.source import FileSpec
from intake.sql import quoted

SYNONYMS = Path(__file__).parent / "synonyms.yaml"
NAME = re.compile(r"[a-z][a-z0-9_]*")
DATE_SIGNS = "0123456789-"
TABLES_OF_A_LOAD = {"file_rows", "left_out", "mapped", "checked", "again", "seen"}
NUMBERS = {"quantity", "net_amount", "gross_amount", "order_total", "unit_price", "discount_amount",
           "coupon_amount"}  # fmt: skip
DATES = {"ordered_at", "redeemed_at", "assigned_at", "created_at", "updated_at", "start_date",
         "end_date", "birth_date"}  # fmt: skip
ORDER_SUBJECTS = ("orders", "order_lines")
STAND_INS = {"customer_key": ("email", "customer_name"), "product_key": ("product_name",),
             "store_key": ("store_name",)}  # fmt: skip
CURRENCY = re.compile(r"[A-Z]{3}")
SIGNS = {"€": "EUR", "EUR": "EUR", "£": "GBP", "GBP": "GBP", "$": "USD", "USD": "USD", "CHF": "CHF"}


@dataclass(frozen=True)
class Meaning:
    """A column that is taken for something, and what to check about it when that is not certain."""

    column: Column
    doubts: tuple[str, ...] = ()

    def doubting(self, *doubts: str) -> Meaning:
        """The same with more to check."""
        return Meaning(self.column, (*self.doubts, *doubts))


Meanings = dict[str, Meaning]


@dataclass(frozen=True)
class Item:
    """One column of a contract, the SQL that gives it, and what to check about it."""

    field: str
    sql: str
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """Files of one kind, which are read alike: the first one speaks for all."""

    alias: str
    profile: FileProfile
    paths: tuple[Path, ...]
    subject: str
    meanings: Meanings = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def is_of_orders(self) -> bool:
        """Whether its rows are orders or parts of them."""
        return self.subject in ORDER_SUBJECTS


@dataclass(frozen=True)
class Mapping:
    """A proposed mapping: one entity from one kind of file."""

    contract: Contract
    delivery: Delivery
    items: tuple[Item, ...]
    is_grouped: bool
    skipped_key: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def empty(self) -> list[str]:
        """Columns of the contract that nothing feeds; the load itself knows the currency."""
        given = {item.field for item in self.items} | {"currency"}
        return [f.name for f in self.contract.fields if f.name not in given]

    @property
    def todos(self) -> list[str]:
        """Everything a person should check."""
        return [*self.doubts, *(doubt for item in self.items for doubt in item.doubts)]


@dataclass(frozen=True)
class Proposal:
    """A system in the making: the texts of its files, by name, and what they came from."""

    name: str
    deliveries: tuple[Delivery, ...]
    mappings: tuple[Mapping, ...]
    texts: dict[str, str]


def propose(name: str, paths: Sequence[Path]) -> Proposal:
    """Look at files and propose a system that reads them; nothing is written.

    Raises:
        InputFault: the name cannot be one, or a file cannot be read.
    """
    if not NAME.fullmatch(name):
        raise InputFault(
            "bad-system-name", name, "a system cannot be called so", where="command line",
            why="a name has small letters, digits and _, and begins with a letter",
            fix=f"unicus new-system {plain_name(name)} --from FILE", exit_code=2,
        )  # fmt: skip
    profiles = [profile_file(path.absolute()) for path in dict.fromkeys(paths)]
    deliveries = _deliveries(profiles)
    mappings = _mappings(deliveries)
    texts = {"source.yaml": _source_text(name, deliveries, mappings)}
    texts |= {f"{m.contract.entity}.sql": _mapping_text(m) for m in mappings}
    return Proposal(name, tuple(deliveries), tuple(mappings), texts)


def refuse_existing(folder: Path) -> None:
    """Say no where a system lies already.

    Raises:
        InputFault: the folder exists.
    """
    if folder.exists():
        raise InputFault(
            "system-exists", folder.name, "there is a system of this name already",
            where=str(folder), why="what a person may have corrected is never overwritten",
            fix=f"unicus new-system {folder.name}_2 --from FILE    (or move {folder} away)",
            exit_code=2,
        )  # fmt: skip


def write_proposal(proposal: Proposal, systems_dir: Path) -> Path:
    """Write the proposed system as one new folder, in one step; return the folder.

    Raises:
        InputFault: the folder exists, or cannot be written.
    """
    folder = systems_dir / proposal.name
    refuse_existing(folder)
    staged = systems_dir / f".{proposal.name}.{uuid.uuid4().hex}"
    try:
        staged.mkdir(parents=True)
        for file, text in proposal.texts.items():
            (staged / file).write_text(text, "utf-8")
        staged.rename(folder)
    except OSError as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise InputFault(
            "folder-not-writable", proposal.name, "the folder of the system cannot be written",
            where=str(folder), why=str(error.strerror).lower(),
            fix="give yourself the right to write there, or choose another with  --systems-dir DIR",
            exit_code=2,
        ) from error  # fmt: skip
    return folder


def plain_name(text: str) -> str:
    """A name made of small letters, digits and `_`, as near to `text` as can be."""
    # "N°" is written with a degree sign more often than with its own; a share is no amount.
    spelt = text.replace("°", "o").replace("%", " pct ")
    bare = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", bare).lower()
    name = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    return name if NAME.fullmatch(name) else f"s_{name}".rstrip("_")


def _deliveries(profiles: Sequence[FileProfile]) -> list[Delivery]:
    """Files in one folder with the same columns are deliveries of one kind."""
    kinds: dict[Any, list[FileProfile]] = {}
    for profile in profiles:
        spec = profile.spec.model_dump_json(exclude={"path"})
        same = (profile.path.parent, profile.names, spec)
        kinds.setdefault(same if profile.has_header else profile.path, []).append(profile)
    found: list[Delivery] = []
    taken = set(TABLES_OF_A_LOAD)
    for kind in kinds.values():
        paths = tuple(profile.path for profile in kind)
        alias = _free(plain_name(_common_stem(paths)), taken)
        taken.add(alias)
        first = kind[0]
        subject = _subject(first) if first.has_header else ""
        found.append(_delivery(alias, first, paths, subject))
    return found


def _delivery(
    alias: str, profile: FileProfile, paths: tuple[Path, ...], subject: str
) -> Delivery:  # fmt: skip
    if not profile.has_header:
        doubt = (
            "the first line looks like data; write a line with the names of the columns above it"
        )
        return Delivery(alias, profile, paths, subject, doubts=(doubt,))
    worded = _by_words(profile, subject)
    fitting = {m: told for m, given in worded.items() if (told := _fitting(m, given))}
    doubts = [
        f"{shown(given.column.name)} is called like {meaning}, but its values are none"
        for meaning, given in worded.items() if meaning not in fitting and given.column.filled
    ]  # fmt: skip
    meanings = _by_values(profile, subject, _stand_ins(fitting))
    missing = {"ordered_at"} if subject in ORDER_SUBJECTS else set(contracts()[subject].key)
    doubts += [
        f"the file seems to hold {subject}, but no column gives {name}"
        for name in sorted(missing - meanings.keys())
    ]
    return Delivery(alias, profile, paths, subject, meanings, tuple(doubts))


def _common_stem(paths: Sequence[Path]) -> str:
    start = _common_start([path.name.partition(".")[0] for path in paths])
    return start.rstrip("-_ 0123456789") or paths[0].stem


def _free(name: str, taken: set[str]) -> str:
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(one for one in names if one not in taken)


def _glob(paths: Sequence[Path], location: Path) -> str:
    """The path below the location; what differs between deliveries becomes a star."""
    texts = [str(path.relative_to(location)) for path in paths]
    if len(texts) == 1:
        return _escaped(texts[0])
    start = _common_start(texts)
    end = _common_start([text[len(start) :][::-1] for text in texts])[::-1]
    # January and February share a digit with each other and not with the deliveries to come.
    wide = f"{_escaped(start.rstrip(DATE_SIGNS))}*{_escaped(end.lstrip(DATE_SIGNS))}"
    return wide if set(location.glob(wide)) == set(paths) else f"{_escaped(start)}*{_escaped(end)}"


def _common_start(texts: Sequence[str]) -> str:
    same = itertools.takewhile(lambda signs: len(set(signs)) == 1, zip(*texts, strict=False))
    return "".join(signs[0] for signs in same)


def _escaped(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


@functools.cache
def _synonyms() -> tuple[dict[str, dict[str, int]], dict[str, dict[str, Any]]]:
    """Words of each meaning with their rank, and the subjects a file can have."""
    raw = yaml.safe_load(SYNONYMS.read_text("utf-8"))
    fields = dict.fromkeys(f.name for contract in contracts().values() for f in contract.fields)
    words = {
        meaning: {_word(text): rank for rank, text in enumerate([meaning, *others])}
        for meaning, others in (dict.fromkeys(fields, ()) | raw["columns"]).items()
    }
    return words, raw["subjects"]


def _word(text: str) -> str:
    return plain_name(text).replace("_", "")


def _subject(profile: FileProfile) -> str:
    """What the file is about: its name says so, or else its columns do."""
    subjects = _synonyms()[1]
    name = plain_name(profile.path.name.partition(".")[0])
    called = [
        (len(word), subject)
        for subject, told in subjects.items()
        for word in told["called"]
        if re.search(rf"(^|_){word}(_|$)", name)
    ]
    if called:
        return max(called)[1]
    found = set(_by_words(profile, ""))
    if found & {"ordered_at", "order_key"} or (found & NUMBERS and "customer_key" in found):
        return "orders"
    own = {c.entity for c in contracts().values() if _stem(c) and c.key[0] in found}
    return next((s for s in subjects if s in own), "orders")


def _stem(contract: Contract) -> bool:
    """Whether the entity's own key names it: `stores` has `store_key`."""
    return len(contract.key) == 1 and contract.key[0].removesuffix("_key") + "s" == contract.entity


def _by_words(profile: FileProfile, subject: str) -> Meanings:
    """The column whose name is the best word for each meaning."""
    words, subjects = _synonyms()
    vague = {_word(k): v for k, v in subjects.get(subject, {}).get("words", {}).items()}
    ranked: dict[str, list[tuple[int, int, Column]]] = {}
    for place, column in enumerate(c for c in profile.columns if _can_be_named(c.name)):
        word = _word(column.name)
        for meaning, ranks in words.items():
            if word in ranks and word not in vague:
                ranked.setdefault(meaning, []).append((ranks[word], place, column))
        if word in vague:
            ranked.setdefault(vague[word], []).append((1000, place, column))
    chosen: Meanings = {}
    for meaning, candidates in ranked.items():
        rank, _, column = min(candidates, key=lambda one: one[:2])
        doubt = f"{shown(column.name)} is taken for {meaning}, for the file seems to hold {subject}"
        chosen[meaning] = Meaning(column, (doubt,) if rank == 1000 and column.name != "id" else ())
    return chosen


def _can_be_named(name: str) -> bool:
    """Whether a mapping can name the column: a line break would not outlive the file it stands in."""
    return name.isprintable() and bool(name.strip())


def _fitting(meaning: str, told: Meaning) -> Meaning | None:
    """The meaning, with doubts its values raise; None when they cannot be that."""
    column = told.column
    if not column.filled:
        return None
    if meaning in NUMBERS:
        if not column.numbers:
            return None
        if column.numbers.is_ambiguous:
            told = told.doubting(f"a comma in {shown(column.name)} is taken to part thousands")
    if meaning in DATES:
        if not column.dates:
            return None
        told = told.doubting(*_date_doubts(column))
    if meaning == "currency" and not all(map(CURRENCY.fullmatch, column.few or {""})):
        return None
    return told


def _date_doubts(column: Column) -> Iterator[str]:
    form, name = column.dates, shown(column.name)
    assert form is not None
    if form.is_ambiguous:
        order = "day/month/year" if form.format.startswith("%d") else "month/day/year"
        yield f"the dates of {name} can be day/month or month/day; {order} is taken ({form.format})"
    if form.has_time:
        yield (
            f"the times of {name} are taken as UTC; if they are local, write"
            " cast(... as timestamp) at time zone 'Europe/Paris'"
        )


def _stand_ins(found: Meanings) -> Meanings:
    """Where no column holds a key, one that tells records apart stands in for it."""
    for key, others in STAND_INS.items():
        other = next((name for name in others if name in found), None)
        if key not in found and other:
            column = found[other].column
            doubt = f"no column holds a {key}; {shown(column.name)} is taken, so equal ones are one"
            found = found | {key: Meaning(column, (doubt,))}
    return found


def _by_values(profile: FileProfile, subject: str, found: Meanings) -> Meanings:
    """In a file of orders, the only column left with dates, or with decimals, must be the one."""
    if subject not in ORDER_SUBJECTS or not found.keys() & {"order_key", "customer_key"}:
        return found
    used = {told.column.name for told in found.values()}
    left = [c for c in profile.columns if c.name not in used and _can_be_named(c.name)]
    dated = [c for c in left if c.dates and not c.dates.unit]
    amounts = [c for c in left if c.numbers and not c.numbers.is_whole and not c.dates]
    if "ordered_at" not in found and len(dated) == 1:
        doubt = (
            f"{shown(dated[0].name)} is the only column with dates, so it is taken for the order's"
        )
        found = found | {"ordered_at": Meaning(dated[0], (doubt, *_date_doubts(dated[0])))}
    has_amount = found.keys() & {"net_amount", "gross_amount", "order_total", "unit_price"}
    if not has_amount and len(amounts) == 1:
        doubt = f"{shown(amounts[0].name)} is the only column with decimals, so it is the amount"
        found = found | {"net_amount": Meaning(amounts[0], (doubt,))}
    return found


def _mappings(deliveries: Sequence[Delivery]) -> list[Mapping]:
    """The best mapping of each entity: from a file of its own, else derived from another's keys."""
    best: dict[str, Mapping] = {}
    for contract in contracts().values():
        candidates = [m for d in deliveries if (m := _mapping(contract, d))]
        if candidates:
            own = [m for m in candidates if m.delivery.subject == contract.entity]
            best[contract.entity] = max(own or candidates, key=lambda m: len(m.items))
    return list(best.values())


def _mapping(contract: Contract, delivery: Delivery) -> Mapping | None:
    if not _feeds(contract, delivery):
        return None
    is_derived = _stem(contract) and delivery.is_of_orders and contract.entity != "orders"
    is_grouped = is_derived or (contract.entity == "orders" and _repeats(delivery, contract.key[0]))
    items = list(_items(contract, delivery, is_grouped, is_derived))
    if {f.name for f in contract.fields if f.required} - {i.field for i in items} - {"currency"}:
        return None
    return Mapping(
        contract, delivery, tuple(items), is_grouped,
        skipped_key=delivery.meanings[contract.key[0]].column.name if is_derived else "",
        doubts=tuple(_row_doubts(contract, delivery, is_grouped)),
    )  # fmt: skip


def _feeds(contract: Contract, delivery: Delivery) -> bool:
    """Whether the file tells anything of the entity, keys of others and times of change apart."""
    found = set(delivery.meanings)
    if contract.entity == "order_lines":
        return delivery.is_of_orders and bool(found & (NUMBERS - {"coupon_amount"}))
    if contract.entity == "orders":
        return delivery.is_of_orders and "ordered_at" in found
    if not set(contract.key) <= found:
        return False
    names = {f.name for f in contract.fields} - {"updated_at", "currency", "created_at"}
    said = {name for name in names & found if not name.endswith("_key")}
    if delivery.subject == contract.entity or _stem(contract):
        return True
    keys = {name for name in found if name.endswith("_key")}
    own = len(contract.key) > 1 and keys <= names
    return not delivery.is_of_orders and bool(own or (said and len(contract.key) == 1))


def _repeats(delivery: Delivery, key: str) -> bool:
    """Whether one order may lie in several rows of the file."""
    told = delivery.meanings.get(key)
    parts = delivery.meanings.keys() & {"product_key", "unit_price"}
    return bool(told and (parts or not told.column.is_unique))


def _items(
    contract: Contract, delivery: Delivery, is_grouped: bool, is_derived: bool
) -> Iterator[Item]:  # fmt: skip
    if contract.entity == "order_lines":
        yield from _line_items(delivery)
        return
    for declared in contract.fields:
        name = declared.name
        told = delivery.meanings.get(name)
        if name == "order_key" and contract.entity == "orders" and not told:
            yield _row_as_key()
        elif name == "channel" and (told or declared.required):
            yield _channel(told, is_derived)
        elif is_derived and name == "created_at":
            # The first order of a file is not when the customer came: the next file would move it.
            continue
        elif not told or (is_grouped and name == "updated_at"):
            continue
        elif name == "currency" and told.column.filled < delivery.profile.rows:
            # Where it is told now and then, the system's own one holds.
            continue
        elif is_derived and name not in contract.key:
            # One record has one name: the last that the file gives.
            yield Item(name, f"max_by({_sql(told, name)}, _row)", told.doubts)
        else:
            yield Item(name, _sql(told, name), told.doubts)


def _row_as_key() -> Item:
    doubt = (
        "no column names the order, so each row is one order, by its number in the file; a second"
        " file would give the same numbers again"
    )
    return Item("order_key", "_row", (doubt,))


def _channel(told: Meaning | None, is_derived: bool) -> Item:
    allowed = next(f.allowed for f in contracts()["stores"].fields if f.name == "channel")
    if told and told.column.few and {value.lower() for value in told.column.few} <= set(allowed):
        sql = f"lower({_sql(told, 'channel')})"
        return Item("channel", f"max_by({sql}, _row)" if is_derived else sql)
    return Item(
        "channel", "'store'", (f"every store is taken for 'store', of {', '.join(allowed)}",)
    )


def _line_items(delivery: Delivery) -> Iterator[Item]:
    found = delivery.meanings
    key = found.get("order_key")
    yield Item("order_key", _sql(key, "order_key"), key.doubts) if key else _row_as_key()
    if "product_key" in found:
        yield Item("product_key", _sql(found["product_key"], "product_key"))
    yield _quantity(found.get("quantity"))
    amount = _net_amount(found, _repeats(delivery, "order_key"))
    if amount:
        yield amount
    for name in ("discount_amount", "coupon_amount"):
        yield _reduction(name, found.get(name))
    told = found.get("updated_at")
    if told:
        yield Item("updated_at", _sql(told, "updated_at"), told.doubts)


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
        "quantity", _sql(told, "quantity"), (*told.doubts, *([returns] if negative else []))
    )


def _net_amount(found: Meanings, has_lines: bool) -> Item | None:
    """The line's amount, from the column that is nearest to what the contract means by it."""
    name, unless = "net_amount", "; is it before tax and after discount?"
    if name in found:
        told = found[name]
        doubt = f"{shown(told.column.name)} is taken for the amount of the line{unless}"
    elif "unit_price" in found:
        told = found["unit_price"]
        return _price_times_quantity(told, found.get("quantity"), unless)
    elif "order_total" in found:
        told = found["order_total"]
        doubt = f"{shown(told.column.name)} is taken for the amount{unless}"
        if has_lines:
            doubt += " If each row repeats the total of its order, it counts too often."
    elif "gross_amount" in found:
        told = found["gross_amount"]
        doubt = f"{shown(told.column.name)} seems to hold tax; net_amount is without"
    else:
        return None
    return Item(name, _sql(told, name), (*told.doubts, doubt))


def _price_times_quantity(price: Meaning, quantity: Meaning | None, unless: str) -> Item:
    sql, doubts = _sql(price, "unit_price"), price.doubts
    what = shown(price.column.name)
    if quantity:
        sql = (
            f"try_cast({sql} as decimal(18, 4))"
            f" * try_cast({_sql(quantity, 'quantity')} as decimal(18, 3))"
        )
        what += f" times {shown(quantity.column.name)}"
    return Item("net_amount", sql, (*doubts, f"{what} is taken for net_amount{unless}"))


def _reduction(name: str, told: Meaning | None) -> Item:
    form = told.column.numbers if told else None
    if not told or not form:
        return Item(name, "0")
    what = shown(told.column.name)
    if "%" in form.noise or (form.highest <= 1 and not form.is_whole):
        doubt = f"{what} looks like a share, not an amount; it is left out"
        return Item(name, "0", (*told.doubts, doubt))
    sql = f"coalesce(nullif(trim({_sql(told, name)}), ''), '0')"
    if not told.column.is_text:
        sql = f"coalesce({_sql(told, name)}, 0)"
    doubts = (*told.doubts, f"{what} is taken for {name} of the line, as an amount")
    if form.negatives and form.highest <= 0:
        sql = f"-try_cast({sql} as decimal(18, 4))"
    elif form.negatives:
        doubts = (*doubts, "some are below 0, which the contract refuses")
    return Item(name, sql, doubts)


def _sql(told: Meaning | None, meaning: str) -> str:
    """The column as the contract can cast it: still text, with numbers and dates in plain writing."""
    assert told is not None
    column = told.column
    name = named(column.name)
    if meaning in DATES and column.dates:
        padded = f"trim({name})" if column.is_padded and column.dates.format else name
        return column.dates.iso(padded)
    if not column.is_text:
        whole = meaning.endswith("_key") and column.type in ("double", "float")
        return f"cast({name} as bigint)" if whole and _is_whole(column) else name
    if meaning in NUMBERS and column.numbers:
        return column.numbers.plain(name)
    # Groups are made before the contract trims.
    return f"trim({name})" if column.is_padded and meaning.endswith("_key") else name


def _is_whole(column: Column) -> bool:
    return bool(column.numbers and column.numbers.is_whole)


def _row_doubts(contract: Contract, delivery: Delivery, is_grouped: bool) -> Iterator[str]:
    if len(delivery.paths) > 1:
        yield f"{len(delivery.paths)} files have the same columns and are read as deliveries of one"
    told = delivery.meanings.get(contract.key[0]) if len(contract.key) == 1 else None
    if told and not is_grouped and told.column.distinct < told.column.filled:
        times = told.column.filled - told.column.distinct
        yield f"{times:,} of the first rows repeat a key; all but the first are refused"
    if told and not is_grouped and told.column.filled < delivery.profile.rows:
        yield f"{delivery.profile.rows - told.column.filled:,} of the first rows have no key"


def named(name: str) -> str:
    """The name as it is written in SQL: quoted only where it must be."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in _words_of_sql()
    return name if plain else quoted(name)


@functools.cache
def _words_of_sql() -> frozenset[str]:
    with duckdb.connect() as con:
        rows = con.execute(
            "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
        ).fetchall()
    return frozenset(row[0] for row in rows)


def shown(name: str) -> str:
    """The name as a comment or a message can show it: on one line, and no longer than one."""
    visible = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return f'"{visible[:57]}..."' if len(visible) > 60 else f'"{visible}"'


def _mapping_text(mapping: Mapping) -> str:
    origin = ", ".join(shown(path.name) for path in mapping.delivery.paths[:3])
    lines = [f"-- Proposed by `unicus new-system` from {origin}."]
    lines += [f"-- TODO: {doubt}" for doubt in mapping.doubts]
    if mapping.empty:
        lines.append(f"-- No source: {', '.join(mapping.empty)}.")
    items = [] if mapping.is_grouped else ["    _row"]
    items += [_item_text(item) for item in mapping.items]
    if mapping.is_grouped:
        items += ["    min(_row) as _row", "    count(*) as _row_count"]
    lines += ["select", ",\n".join(items), f"from {named(mapping.delivery.alias)}"]
    if mapping.is_grouped:
        lines.append("group by all")
    return "\n".join(lines) + "\n"


def _item_text(item: Item) -> str:
    doubts = "".join(f"    -- TODO: {doubt}\n" for doubt in item.doubts)
    alias = "" if item.sql == item.field else f" as {item.field}"
    return f"{doubts}    {item.sql}{alias}"


def _source_text(
    name: str, deliveries: Sequence[Delivery], mappings: Sequence[Mapping]
) -> str:  # fmt: skip
    location = Path(os.path.commonpath([p.parent for d in deliveries for p in d.paths]))
    currency, doubt = _currency(deliveries)
    lines = [
        "# Proposed by `unicus new-system`; the mappings beside it say what to check.",
        f"system: {name}",
        "# TODO: a title that people know it by.",
        f"title: {_scalar(name)}",
        f"location: {_scalar(str(location))}",
        "# TODO: the time zone in which a day begins and ends, such as Europe/Paris.",
        "business_timezone: UTC",
        *([f"# TODO: {doubt}"] if doubt else []),
        f"currency: {currency}",
        "files:",
    ]
    fed = {mapping.delivery.alias for mapping in mappings}
    for delivery in deliveries:
        lines += _file_lines(delivery, location, delivery.alias in fed)
    lines.append("entities:" if mappings else "entities: {}")
    for mapping in mappings:
        lines += _entity_lines(mapping)
    return "\n".join(lines) + "\n"


def _file_lines(delivery: Delivery, location: Path, is_fed: bool) -> Iterator[str]:
    spec: FileSpec = delivery.profile.spec
    yield from (f"  # TODO: {doubt}" for doubt in delivery.doubts)
    if delivery.profile.has_header and not is_fed:
        yield "  # TODO: no entity is known by these columns; write a mapping, or move it to not_read."
    told = {"path": _glob(delivery.paths, location)} | spec.model_dump(
        exclude={"path"}, exclude_defaults=True
    )
    parts = ", ".join(f"{key}: {_scalar(value)}" for key, value in told.items())
    yield f"  {delivery.alias}: {{{parts}}}"


def _entity_lines(mapping: Mapping) -> Iterator[str]:
    alias, entity = mapping.delivery.alias, mapping.contract.entity
    if not mapping.skipped_key:
        yield f"  {entity}: {{file: {_scalar(alias)}, delivery: upsert}}"
        return
    key = mapping.contract.key[0].removesuffix("_key")
    empty = f"nullif(trim(cast({named(mapping.skipped_key)} as varchar)), '') is null"
    yield f"  {entity}:"
    yield f"    file: {_scalar(alias)}"
    yield "    delivery: upsert"
    yield "    not_applicable:"
    yield f"      no_{key}:"
    yield f"        where: {_scalar(empty)}"
    yield f"        why: The row names no {key}."


def _scalar(value: object) -> str:
    """The value as YAML, on one line, fit for a flow mapping."""
    dumped = yaml.safe_dump(
        [value], default_flow_style=True, allow_unicode=True, width=float("inf")
    )
    return dumped.strip().removeprefix("[").removesuffix("]")


def _currency(deliveries: Sequence[Delivery]) -> tuple[str, str]:
    """The currency that the files tell, and what to check about it."""
    for delivery in deliveries:
        told = delivery.meanings.get("currency")
        if told:
            several = "the files have several currencies; which is the system's own?"
            return min(told.column.few), several if len(told.column.few) > 1 else ""
    for delivery in deliveries:
        for told in delivery.meanings.values():
            signs = [
                s for s in (told.column.numbers.noise if told.column.numbers else ()) if s in SIGNS
            ]
            if signs:
                return SIGNS[signs[0]], "taken from the sign beside the amounts."
    return "EUR", "no file tells the currency; this one is assumed."
