"""The files of the retailer: the same each time, in their formats, with the faults of the ledger."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tokenize
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.settings import PROJECT
from retailer import faults
from retailer.deliveries import FEEDS, Feed
from retailer.generate import Made, generate
from retailer.landing import FEW
from retailer.texts import KINDS, SPLITS, TOPICS, texts
from retailer.vocabulary import COUNTRIES
from retailer.worlds import WORLDS
from tests.conftest import cases
from tests.unit.retailer.conftest import plan

CUSTOMERS, PART = 2_400, 800


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return generate(plan(customers=CUSTOMERS, part_size=PART), tmp_path_factory.mktemp("retailer"))


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_cores(
    made: Made, tmp_path: Path
) -> None:
    told: list[int] = []
    again = generate(plan(customers=CUSTOMERS, part_size=PART), tmp_path / "again", 3, told.append)
    assert digests(again.landing) == digests(made.landing)
    assert digests(again.truth) == digests(made.truth)
    assert told == [1, 2, 3]
    other = generate(plan(customers=PART, seed=4, part_size=PART), tmp_path / "other")
    history = [
        str(path.relative_to(other.landing)) for path in other.landing.rglob("*_history*")
        if path.stat().st_size > 1_000
    ]  # fmt: skip
    assert len(history) >= 20
    same = {name for name in history if digests(other.landing)[name] == digests(made.landing)[name]}
    assert not same, "another seed gave the same people"


def read(feed: Feed, made: Made, where: str = "*") -> str:
    """A query of the files of a feed as texts, whatever their form."""
    path = f"{made.landing}/{feed.system}/{feed.name}_{where}.{feed.form}"
    if feed.form.startswith("jsonl"):
        return f"read_json('{path}', format = 'newline_delimited', union_by_name = true)"
    encoding = f", encoding = '{feed.encoding}'"
    return (
        f"read_csv('{path}', delim = '{feed.separator}', header = true, all_varchar = true,"
        f" union_by_name = true, quote = '\"'{encoding})"
    )


def ask(query: str) -> list[Any]:
    return duckdb.sql(query).fetchall()


def feed(name: str) -> Feed:
    return next(one for one in FEEDS if f"{one.system}/{one.name}" == name)


def test_every_row_that_was_counted_is_in_the_files(made: Made) -> None:
    for one in FEEDS:
        name = f"{one.system}/{one.name}"
        if made.rows[name]:
            ((count,),) = ask(f"select count(*) from {read(one, made)}")
            assert count == made.rows[name], name


def ledger(made: Made) -> list[dict[str, Any]]:
    return pq.read_table(made.truth / "faults.parquet").to_pylist()


def test_the_ledger_tells_every_planted_fault_and_the_files_hold_it(made: Made) -> None:
    rows = ledger(made)
    assert {row["kind"] for row in rows} == {
        *faults.RATES, *faults.DAILY_RATES, faults.RENAMED, faults.DAY_MISSING, faults.CLOCK
    }  # fmt: skip
    for name, field in faults.REQUIRED.items():
        keys = {row["key"] for row in rows if (row["kind"], row["feed"]) == (faults.MISSING, name)}
        key = key_of(made, name)
        found = ask(f"select {key} from {read(feed(name), made)} where {field} is null")
        assert {key for (key,) in found} == keys, name
    for name, field in faults.QUANTITIES.items():
        kept = [row for row in rows if (row["kind"], row["feed"]) == (faults.NEGATIVE, name)]
        ((count,),) = ask(f"select count(*) from {read(feed(name), made)} where {field}::int < 0")
        assert count == len(kept)


def key_of(made: Made, name: str) -> str:
    """SQL of the key that the ledger names a row by."""
    columns = faults.KEYS.get(name, feed_columns(made, name)[:1])
    return f"concat_ws('|', {', '.join(f'{column}::varchar' for column in columns)})"


def feed_columns(made: Made, name: str) -> list[str]:
    return [row[0] for row in ask(f"describe from {read(feed(name), made, '*_history')}")]


@pytest.mark.parametrize("name", ["shop/orders", "stores/tickets", "web/events"])
def test_repeated_rows_are_those_of_the_ledger_and_no_others(made: Made, name: str) -> None:
    key = key_of(made, name)
    twice = {key for (key,) in ask(
        f"select {key} from {read(feed(name), made)} group by all having count(*) > 1"
    )}  # fmt: skip
    kinds = (faults.DOUBLED, faults.RESENT)
    assert twice == {r["key"] for r in ledger(made) if r["feed"] == name and r["kind"] in kinds}


def test_a_row_that_is_late_lies_in_the_file_of_the_day_it_arrives(made: Made) -> None:
    days = plan().days
    late = [r for r in ledger(made) if (r["kind"], r["feed"]) == (faults.LATE, "shop/orders")]
    assert late
    for row in late:
        assert row["arrives_day"] > row["file_day"]
        day = days.date(row["arrives_day"])
        number, told = row["key"].split("|")
        found = ask(
            f"select count(*) from {read(feed('shop/orders'), made, str(day))}"
            f" where order_id = '{number}' and updated_at = '{told}'"
        )
        assert found == [(1,)]


def test_the_column_is_renamed_from_its_day_on(made: Made) -> None:
    days = plan().days
    for after in (False, True):
        day = days.date(days.horizon - faults.RENAMED_BEFORE_END - (not after))
        columns = [
            row[0] for row in ask(f"describe from {read(feed('shop/orders'), made, str(day))}")
        ]
        assert (faults.NEW_NAME in columns, faults.OLD_NAME in columns) == (after, not after)


def test_the_day_that_is_missing_arrives_later_and_every_file_has_its_arrival(made: Made) -> None:
    arrives = {row["file"]: row["arrives_on"] for row in
               pq.read_table(made.truth / "arrivals.parquet").to_pylist()}  # fmt: skip
    assert set(arrives) == set(digests(made.landing))
    days = plan().days
    day = days.date(days.horizon - faults.MISSING_BEFORE_END)
    dated = {name: found[0] for name in arrives if (found := re.findall(r"20\d\d-\d\d-\d\d", name))}
    late = {name for name, named_day in dated.items() if str(arrives[name]) != named_day}
    assert late == {f"stores/tickets_{day}.csv.gz", f"stores/lignes_{day}.csv.gz"}


def test_the_clock_of_one_day_runs_ahead_and_nothing_else_lies_after_the_end(made: Made) -> None:
    wrong = [row for row in ledger(made) if row["kind"] == faults.CLOCK]
    found = ask(
        f"select event_id::varchar from {read(feed('web/events'), made)}"
        " where timestamp::timestamp > '2026-07-01'"
    )
    assert wrong
    assert {key for (key,) in found} == {row["key"] for row in wrong}


def test_formats_are_those_of_the_systems(made: Made) -> None:
    contacts = next((made.landing / "crm").glob("contacts_0001_history.csv")).read_bytes()
    assert b";" in contacts.splitlines()[0]
    with pytest.raises(UnicodeDecodeError):
        contacts.decode("utf-8")
    assert "é" in contacts.decode("latin-1")
    with gzip.open(
        made.landing / "stores/lignes_0001_history.csv.gz", "rt", encoding="latin-1"
    ) as file:
        assert re.fullmatch(r'\d+;\d+;"P\d+";-?\d*;"\d+,\d\d";.*', file.readlines()[1].strip())
    with gzip.open(made.landing / "web/events_0001_history.jsonl.gz", "rt") as file:
        event = json.loads(file.readline())
    assert {"event_id", "timestamp", "visitor_id"} <= set(event)
    tickets = ask(
        f"select min(date_heure), max(date_heure) from {read(feed('stores/tickets'), made)}"
    )
    assert all(re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", text) for text in tickets[0])
    assert (made.landing / "catalogue/articles.xlsx").read_bytes()[:2] == b"PK"


def test_french_times_are_those_of_clocks_in_paris(made: Made) -> None:
    order = ask(f"""
        select ticket, date_heure from {read(feed("stores/tickets"), made, "0001_history")}
        where date_heure is not null
    """)
    told = {row["order_id"]: row["moment"] for row in
            pq.read_table(made.truth / "purchases/0001.parquet").to_pylist()}  # fmt: skip
    days = plan().days
    for ticket, text in order[:2_000]:
        moment = told[int(ticket)]
        day = days.date(int(moment))
        seconds = int(moment % 1 * 86_400)
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        assert text == f"{day:%d/%m/%Y} {clock}"


def test_many_people_come_as_parquet_alone(tmp_path: Path) -> None:
    few = plan(customers=200, part_size=200)
    from dataclasses import replace

    from retailer import generate as whole

    big = replace(few, customers=FEW + 1, part_size=FEW + 1)
    assert not whole._landing(big, tmp_path).is_small
    landing = replace(whole._landing(few, tmp_path), is_small=False)
    assert {landing.form(one) for one in FEEDS} == {"parquet"}


@given(
    customers=st.integers(1, 40), months=st.integers(1, 40), seed=st.integers(0, 2**40),
    world=st.sampled_from(sorted(WORLDS)),
)  # fmt: skip
@settings(max_examples=cases(6), deadline=None)
def test_a_retailer_of_any_size_and_world_is_made(
    tmp_path_factory: pytest.TempPathFactory, customers: int, months: int, seed: int, world: str
) -> None:
    from dataclasses import replace

    from retailer.days import Days

    base = plan(world, customers, seed, part_size=17)
    days = Days(base.days.end, months, base.days.has_season)
    found = generate(replace(base, days=days), tmp_path_factory.mktemp("any"))
    people = pq.read_table(found.truth / "persons")
    assert people.num_rows == customers
    assert sorted(people["person"].to_pylist()) == list(range(customers))


def test_texts_of_training_and_evaluation_share_no_sentence() -> None:
    for kind in KINDS:
        for topic in TOPICS:
            pools = {split: {text for level in range(1, 6) for text in texts(kind, topic, level, split)}
                     for split in SPLITS}  # fmt: skip
            assert all(len(pool) >= 5 * 120 for pool in pools.values())
            assert not pools["train"] & pools["evaluation"]


def test_no_address_of_a_person_can_be_anybodys() -> None:
    domains = {domain for land in COUNTRIES for domain in land.mail_domains}
    assert all(domain.endswith(".example") for domain in domains)


def test_nothing_but_tests_and_benchmarks_names_the_truth() -> None:
    """The other half of the wall: no path of it in code, models, systems or settings."""
    rooms = ("intake", "identity", "ml", "serving", "orchestration", "dbt_project", "deploy")
    for room in rooms:
        for path in (PROJECT / room).rglob("*"):
            if (
                path.suffix in (".py", ".sql", ".yaml", ".yml", ".toml")
                and "target" not in path.parts
            ):
                if path.name == "make_retailer.py":
                    continue  # the verb says where it put it
                assert not re.search(r"\btruth[/\"']", code_of(path)), path


def code_of(path: Path) -> str:
    """The file without comments and docstrings, which may speak of truths."""
    if path.suffix != ".py":
        return path.read_text("utf-8")
    with tokenize.open(path) as file:
        kept = [
            t.string for t in tokenize.generate_tokens(file.readline) if t.type != tokenize.COMMENT
        ]
    return " ".join(text for text in kept if not text.startswith('"""'))


def told_days(made: Made, name: str, *columns: str) -> list[Any]:
    """The newest day in these columns of the files of a feed, by the day in the file's name."""
    path = f"{made.landing}/{name}_20*"
    reader = "read_csv" if "csv" in feed(name).form else "read_json"
    more = ", all_varchar = true" if reader == "read_csv" else ""
    newest = ", ".join(f"max(try_cast({column} as timestamp)::date)" for column in columns)
    return ask(
        f"select regexp_extract(filename, '20\\d\\d-\\d\\d-\\d\\d')::date as day, greatest({newest})"
        f" from {reader}('{path}', filename = true, union_by_name = true{more}) group by day"
    )


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("shop/orders", ("ordered_at", "updated_at", "delivered_on")),
        ("shop/returns", ("returned_at",)),
        ("shop/accounts", ("created_at",)),
        ("messaging/consents", ("decided_at",)),
        ("service/interactions", ("started_at",)),
        ("reviews/reviews", ("submitted_at",)),
        ("ads/spend", ('"date"',)),
    ],
)
def test_a_file_of_a_day_knows_nothing_of_later_days(
    made: Made, name: str, columns: tuple[str, ...]
) -> None:
    if name == "ads/spend":
        days = ask(
            "select regexp_extract(filename, '20\\d\\d-\\d\\d-\\d\\d')::date, max(updated_at::date)"
            f" from read_csv('{made.landing}/ads/spend_20*', filename = true) group by all"
        )
    else:
        days = told_days(made, name, *columns)
    assert len(days) > 5
    assert all(newest <= day for day, newest in days)


@pytest.mark.parametrize(
    ("name", "column", "owner", "key"),
    [
        ("shop/orders", "client_id", "shop/accounts", "id"),
        ("web/events", "account_id", "shop/accounts", "id"),
        ("social/activity", "profile", "social/profiles", "id"),
        ("service/interactions", "contact", "service/contacts", "id"),
        ("reviews/reviews", "account_id", "shop/accounts", "id"),
        ("messaging/messages", "contact", "messaging/contacts", "id"),
        ("messaging/assignments", "contact", "messaging/contacts", "id"),
        ("crm/parrainages", "filleul", "crm/contacts", "id"),
        ("crm/parrainages", "parrain", "crm/contacts", "id"),
        ("messaging/events", "message", "messaging/messages", "message"),
        ("crm/evenements_de_vie", "contact", "crm/contacts", "id"),
        ("crm/consentements", "contact", "crm/contacts", "id"),
    ],
)
def test_who_is_named_was_delivered(
    made: Made, name: str, column: str, owner: str, key: str
) -> None:
    columns = f"coalesce({column}, customer_id)" if name == "shop/orders" else column
    unknown = ask(
        f"select count(*) from {read(feed(name), made)} where {columns} is not null"
        f" and {columns}::varchar not in (select {key}::varchar from {read(feed(owner), made)})"
    )
    assert unknown == [(0,)]


def test_nobody_does_anything_under_a_record_that_is_not_there_yet(made: Made) -> None:
    """Orders and visits carry the key of an account from its first day on."""
    accounts = read(feed("shop/accounts"), made)
    for name, column, at in (("shop/orders", "client_id", "ordered_at"),
                             ("web/events", "account_id", '"timestamp"'),
                             ("social/activity", "profile", '"at"')):  # fmt: skip
        owners = accounts if column != "profile" else read(feed("social/profiles"), made)
        early = ask(
            f"select count(*) from {read(feed(name), made)} as did join {owners} as who"
            f" on did.{column} = who.id where did.{at}::timestamp + interval 1 second"
            f" < who.created_at::timestamp"
        )
        assert early == [(0,)], name


def test_the_app_has_accounts_only(made: Made) -> None:
    ((guests,),) = ask(
        f"select count(*) from {read(feed('shop/orders'), made)} where channel = 'app'"
        " and coalesce(client_id, customer_id) like 'G%'"
    )
    assert guests == 0


def test_neither_keys_nor_their_order_say_who_is_who(made: Made) -> None:
    """Rows that follow each other, by place or by number, are of one person as often as by chance."""
    owner = "(select order_id::varchar as id, person from read_parquet"
    tickets = f"{owner}('{made.truth}/purchases/0001.parquet'))"
    for order in ("row_number() over ()", "ticket::bigint"):
        ((share,),) = ask(f"""
            with placed as (
                select ticket, {order} as place from {read(feed("stores/tickets"), made, "0001_history")}
            )
            select avg((person = earlier)::int) from (
                select person, lag(person) over (order by place) as earlier
                from placed join {tickets} as known on known.id = placed.ticket
            )
        """)
        assert share < 0.02, order


def test_programs_are_not_told_by_their_numbers(made: Made) -> None:
    ((low, high),) = ask(f"""
        select quantile_cont(visitor_id, 0.5) filter (where is_bot),
            quantile_cont(visitor_id, 0.5) filter (where not is_bot)
        from read_parquet('{made.truth}/sessions/*.parquet')
    """)
    assert 0.5 < low / high < 2
    ((early,),) = ask(f"""
        select avg(is_bot::int) from (
            select * from read_parquet('{made.truth}/events/0001.parquet') order by event_id limit 5000
        )
    """)
    assert early < 0.3


def test_rows_of_one_time_do_not_lie_by_person(made: Made) -> None:
    """All assignments of a campaign carry one time; who follows whom among them tells nothing."""
    persons = f"read_parquet('{made.truth}/records/0001.parquet')"
    ((rising,),) = ask(f"""
        with placed as (
            select campaign, contact, row_number() over () as place
            from {read(feed("messaging/assignments"), made, "0001_history")}
        ),
        known as (
            select person, lag(person) over (partition by campaign order by place) as earlier
            from placed join {persons} as records on records.key = placed.contact
        )
        select avg((person > earlier)::int) from known where earlier is not null
    """)
    assert 0.45 < rising < 0.55
