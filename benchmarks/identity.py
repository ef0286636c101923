"""How well and at what cost records become customers, against rules, Splink alone and plain stitching.

    python -m benchmarks.identity quality [--people 40000] [--seed 7102]
    python -m benchmarks.identity labels
    python -m benchmarks.identity countries
    python -m benchmarks.identity public FOLDER [--peer-python PEER/bin/python]
    python -m benchmarks.identity changes [--people 40000]
    python -m benchmarks.identity cost [--people 400000]

Pairs of records of one person are counted: precision, recall, F1; `over-merged` are records that are in a
customer whose most records are another person's. The ceiling is what perfect decisions on the same
candidate pairs give, closed transitively. Seeds 7101 to 7104 were not used in development. FOLDER holds
the public sets as Parquet, one folder each. The peer there is recordlinkage's ECM in an environment of
its own, `benchmarks/peers/link_requirements.txt`; it sees all fields as delivered, and no truth.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmarks.identity_records import Records, public, retailer
from benchmarks.tables import show
from identity.candidates import compare_changed, take_changes
from identity.clusters import components, recluster
from identity.compare import RULES, Model, model_of, model_tables
from identity.ids import EVENTS
from identity.resolve import DECISIONS, Resolution, resolve
from identity.store import RECORD, open_store
from identity.train import LABELLED_LINK, train, train_with_labels

NOW = datetime(2026, 7, 1)  # noqa: DTZ001
SPLINK_PROBABILITY = 0.9
Told = TypeVar("Told")
LABELS = 2_000
REPEATS = 3
MOST_MEMORY = 2.0
"""GB that a rebuild of a million records may take, with the records it is given."""
PEER = Path(__file__).parent / "peers" / "link.py"
INDEXED: dict[str, tuple[str, ...]] = {"any field": (), "any but the town": ("city",)}
"""What pairs that the peer compares share, and which fields that leaves out."""
MOST_FOR_PEER = 10_000
"""Records above which the peer's pairs, all that share any field, are more than memory holds."""


@dataclass(frozen=True)
class Score:
    """Counts of pairs: of one person and one customer, of one customer, of one person."""

    both: int
    customer: int
    person: int
    over_merged: float
    largest: int

    @property
    def precision(self) -> float:
        """Share of the pairs of one customer that are one person."""
        return self.both / max(self.customer, 1)

    @property
    def recall(self) -> float:
        """Share of the pairs of one person that are one customer."""
        return self.both / max(self.person, 1)

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        return 2 * self.both / max(self.customer + self.person, 1)


class Case:
    """Records in a store, compared by a model."""

    def __init__(self, records: Records, model: Model) -> None:
        self.records, self.model = records, model
        self.con = open_store(None, model)
        take_changes(self.con, records.profiles, model)
        compare_changed(self.con, model)
        self.con.register("told", records.truth)
        self.con.execute(f"""
            create temp table truth as select {RECORD} as record, person, country from told
        """)
        self.all = np.sort(self._column("select record from truth"))

    def clusters(self) -> tuple[np.ndarray, np.ndarray]:
        """Customer and strict customer of each of the sorted records."""
        found = recluster(self.con, self.model)
        place = np.argsort(found.record)
        assert (found.record[place] == self.all).all()
        return found.cluster[place], found.strict[place]

    def ceiling(self, country: str | None = None) -> Score:
        """What perfect decisions on the candidates give."""
        found = self.con.execute("""
            select a, b from touched_candidates
            join truth as l on a = l.record join truth as r on b = r.record
            where l.person = r.person
        """).fetchnumpy()
        return self.score(components(self.all, found["a"], found["b"]), country)

    def joined(self, query: str) -> np.ndarray:
        """Customers when the pairs (a, b) of a query are all followed."""
        found = self.con.execute(query).fetchnumpy()
        return components(self.all, found["a"], found["b"])

    def score(self, customer: np.ndarray, country: str | None = None) -> Score:
        """Compare customers with people, of all records or those of the people of a country."""
        self.con.register("labels", pa.table({"record": self.all, "customer": customer}))
        where = f"where country = '{country}'" if country else ""
        both, of_customer, of_person, majority, records, largest = self.con.execute(f"""
            with placed as (select customer, person from labels join truth using (record) {where}),
            cells as (select customer, person, count(*) as n from placed group by all)
            select (select sum(n * (n - 1) // 2) from cells),
                (select sum(n * (n - 1) // 2) from (select count(*) as n from placed group by customer)),
                (select sum(n * (n - 1) // 2) from (select count(*) as n from placed group by person)),
                (select sum(n) from (select max(n) as n from cells group by customer)),
                (select count(*) from placed),
                (select max(n) from (select count(*) as n from placed group by customer))
        """).fetchall()[0]
        self.con.unregister("labels")
        return Score(int(both), int(of_customer), int(of_person), 1 - majority / records, largest)

    def _column(self, query: str) -> np.ndarray:
        (values,) = self.con.execute(query).fetchnumpy().values()
        return np.asarray(values)


def quality(people: int, seed: int) -> None:
    """Print the table of methods on one draw of the retailer."""
    records = retailer(people, seed)
    model = train(records.profiles, "splink").model
    case = Case(records, model)
    top = case.ceiling()
    customer, strict = case.clusters()
    rules, _ = Case(records, RULES).clusters()
    rows = [
        _row("ceiling of the candidates", top, top),
        _row("trained without labels, guarded", case.score(customer), top),
        _row("the same, strict tier", case.score(strict), top),
        _row("guarded rules", case.score(rules), top),
        _row(f"Splink alone, p >= {SPLINK_PROBABILITY}", case.score(_splink_alone(case)), top),
        _row("plain stitching", case.score(_stitched(case)), top),
    ]
    show(f"{len(case.all):,} records, {people:,} people, seed {seed}", HEADER, rows)


HEADER = "method  precision  recall  F1  share of ceiling  over-merged  largest"


def _row(name: str, score: Score, top: Score) -> list[str]:
    return [
        name, f"{score.precision:.4f}", f"{score.recall:.4f}", f"{score.f1:.4f}",
        f"{score.f1 / top.f1:.4f}", f"{score.over_merged:.2%}", str(score.largest),
    ]  # fmt: skip


def _stitched(case: Case) -> np.ndarray:
    """Whoever shares an exact identifier is one: what stitching by identifiers does."""
    case.con.register("raw", case.records.raw)
    identifiers = (
        "email",
        "phone",
        "mobile_phone",
        "loyalty_card_key",
        "visitor_key",
        "device_key",
    )
    record = RECORD.replace("source_key", "customer_key")
    told = " union all ".join(
        f"select '{name.removeprefix('mobile_')}' as kind, lower(trim({name})) as value, {record} as record"
        f" from raw where {name} is not null"
        for name in identifiers
    )
    found = case.joined(f"""
        with told as ({told}),
        firsts as (select *, min(record) over (partition by kind, value) as a from told)
        select distinct a, record as b from firsts where a <> record
    """)
    case.con.unregister("raw")
    return found


def _splink_alone(case: Case) -> np.ndarray:
    """Splink as its documentation has it: its training, its prediction, all links followed."""
    import logging

    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    from identity.train import LEARNED, _settings

    logging.getLogger("splink").setLevel(logging.ERROR)
    keys = (("email",), ("mobile_phone",), ("name_key", "place"), ("house_key", "first_name"))
    con = duckdb.connect()
    con.register("profiles", case.records.profiles)
    con.execute(f"create table people as select {RECORD} as unique_id, * from profiles")
    linker = Linker(
        DuckDBAPI(connection=con).register("people"),
        SettingsCreator(
            link_type="dedupe_only", comparisons=[_settings(one) for one in LEARNED],
            blocking_rules_to_generate_predictions=[block_on(*key) for key in keys],
        ),
    )  # fmt: skip
    linker.training.estimate_probability_two_random_records_match(
        [block_on("email", "name_key"), block_on("mobile_phone", "name_key")], recall=0.5
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for key in keys[:3]:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*key))
    found = linker.inference.predict(threshold_match_probability=SPLINK_PROBABILITY)
    links = (
        found.as_duckdbpyrelation().select("unique_id_l as a, unique_id_r as b").to_arrow_table()
    )
    return components(case.all, *(links[name].to_numpy() for name in ("a", "b")))


def labels(people: int, seed: int, of_seed: int) -> None:
    """Print what simulated decisions of stewards on another draw add."""
    learned_from = retailer(people, of_seed)
    start = train(learned_from.profiles, "splink").model
    decisions = _decisions(Case(learned_from, start))
    corrected = train_with_labels(start, learned_from.profiles, decisions, "labels")
    records = retailer(people, seed)
    frequencies = train(records.profiles, "splink").model
    # Weights are those of the other draw; how rare names are is counted where they are used.
    rows = []
    top = None
    for name, model in (
        ("without labels", start),
        (f"with {decisions.num_rows:,} labels", corrected),
    ):
        here = replace(model, frequencies=frequencies.frequencies)
        case = Case(records, here)
        top = top or case.ceiling()
        customer, strict = case.clusters()
        rows += [
            _row(name, case.score(customer), top),
            _row(f"{name}, strict tier", case.score(strict), top),
        ]
    title = f"labels of seed {of_seed}, scored on seed {seed}; kind {corrected.kind}, link {LABELLED_LINK}"
    show(title, HEADER, rows)


def _decisions(case: Case) -> pa.Table:
    """Pairs that a steward would look at, decided by the truth."""
    return case.con.execute(f"""
        with asked as (
            select a, b from weighed
            where not is_vetoed and (weight between -8 and 12 or hash(a, b) % 10 = 0)
            order by md5_number_lower(a || '|' || b) limit {LABELS}
        )
        select 'decision ' || row_number() over (order by a, b) as decision_key,
            case when l.person = r.person then 'link' else 'ban' end as decision,
            lr.source_system as left_source_system, lr.source_key as left_source_key,
            rr.source_system as right_source_system, rr.source_key as right_source_key,
            timestamp '2026-01-01' as decided_at
        from asked join truth as l on a = l.record join truth as r on b = r.record
        join records as lr on a = lr.record join records as rr on b = rr.record
    """).to_arrow_table().cast(DECISIONS)  # fmt: skip


def countries(people: int, seed: int) -> None:
    """Print pair F1 as share of the own ceiling by country, and how far it is from France's."""
    records = retailer(people, seed)
    case = Case(records, train(records.profiles, "splink").model)
    customer, _ = case.clusters()
    rng = np.random.default_rng(1)
    shares = {}
    for (country,) in case.con.execute("select distinct country from truth order by 1").fetchall():
        score, top = case.score(customer, country), case.ceiling(country)
        shares[country] = score.f1 / top.f1, score
    rows = []
    for country, (share, score) in shares.items():
        # Pairs are not independent: the error is that of as many people as there are pairs by two.
        error = np.sqrt(max(share * (1 - share), 1e-6) / max(score.person / 2, 1))
        draws = shares["FR"][0] - rng.normal(share, error, 10_000)
        low, high = np.quantile(draws, [0.025, 0.975])
        verdict = "worse" if low > 0.02 else "not worse by .02"
        rows.append([country, f"{score.person:,}", f"{score.precision:.4f}", f"{score.recall:.4f}",
                     f"{score.f1:.4f}", f"{share:.4f}", f"{low:+.3f} to {high:+.3f}", verdict])  # fmt: skip
    show(
        f"by country, seed {seed}",
        "country  pairs  precision  recall  F1  share of own ceiling  below France (95 %)  verdict",
        rows,
    )


def public_sets(folder: Path, peer: Path | None) -> None:
    """Print pair F1 on the public sets; nothing of them was used to choose a threshold."""
    rows = []
    for name in ("febrl3", "febrl4", "fake_1000", "fake_20000"):
        records = public(name, folder)
        case = Case(records, train(records.profiles, "splink").model)
        customer, _ = case.clusters()
        top = case.ceiling()
        ours = _draws(_by_person(case, customer))
        rows.append([*_row(name, case.score(customer), top), _interval(ours), ""])
        if peer and len(case.all) <= MOST_FOR_PEER:
            for said, unindexed in INDEXED.items():
                rows += _peer_rows(case, top, ours, f"{name}, ECM, {said}", (str(peer), *unindexed))
    show("public sets", f"{HEADER}  F1, 95 % over people  ours more by", rows)


def _peer_rows(
    case: Case, top: Score, ours: np.ndarray, name: str, peer: tuple[str, ...]
) -> list[list[str]]:
    theirs, alone = _peer_links(case, *peer)
    drawn = _draws(_by_person(case, theirs))
    # Both drew the same people.
    more = _interval(ours - drawn, "+.4f")
    closed = [*_row(f"{name}, closed", case.score(theirs), top), _interval(drawn), more]
    return [closed, [f"{name}, pairs", "", "", f"{alone:.4f}", "", "", "", "", ""]]


def _peer_links(case: Case, python: str, *unindexed: str) -> tuple[np.ndarray, float]:
    """Customers when the peer's links are all followed, and the F1 of its links as they are."""
    case.con.register("raw", case.records.raw)
    record = RECORD.replace("source_key", "customer_key")
    case.con.execute(f"create or replace temp table seen as select {record} as record, * from raw")
    case.con.unregister("raw")
    with tempfile.TemporaryDirectory() as scratch:
        given, links = (Path(scratch) / name for name in ("records.parquet", "links.csv"))
        case.con.execute(f"copy (select * exclude (record) from seen order by record) to '{given}'")
        alone = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [python, str(PEER), str(given), str(links), *unindexed]
        subprocess.run(command, check=True, env=alone)
        found = case.con.execute(f"select a, b from '{links}'").fetchnumpy()
    a, b = (case.all[np.asarray(found[name])] for name in ("a", "b"))
    case.con.register("linked", pa.table({"a": a, "b": b}))
    ((both,),) = case.con.execute("""
        select count(*) from linked join truth as l on a = l.record join truth as r on b = r.record
        where l.person = r.person
    """).fetchall()
    case.con.unregister("linked")
    joined = components(case.all, a, b)
    return joined, 2 * both / max(len(a) + case.score(joined).person, 1)


def _by_person(case: Case, customer: np.ndarray) -> np.ndarray:
    """Pairs of each person, as in Score: its own, and half of each wrong pair that it is in."""
    case.con.register("labels", pa.table({"record": case.all, "customer": customer}))
    found = case.con.execute("""
        with placed as (select customer, person from labels join truth using (record)),
        cells as (select customer, person, count(*) as n from placed group by all),
        sizes as (select customer, sum(n) as size from cells group by 1)
        select person, sum(n * (n - 1) / 2) as both,
            sum(n * (n - 1) / 2 + n * (size - n) / 2) as of_customer,
            (sum(n) * (sum(n) - 1)) / 2 as of_person
        from cells join sizes using (customer) group by person order by person
    """).fetchnumpy()
    case.con.unregister("labels")
    return np.column_stack([found[name] for name in ("both", "of_customer", "of_person")])


def _draws(counts: np.ndarray, draws: int = 500) -> np.ndarray:
    """F1 with people drawn anew, the same people whoever is counted."""
    rng = np.random.default_rng(1)
    sums = np.array(
        [counts[rng.integers(0, len(counts), len(counts))].sum(axis=0) for _ in range(draws)]
    )
    return np.asarray(2 * sums[:, 0] / (sums[:, 1] + sums[:, 2]))


def _interval(draws: np.ndarray, form: str = ".4f") -> str:
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{low:{form}} to {high:{form}}"


class Home:
    """A store in a file and a log, resolved again and again."""

    def __init__(self, folder: Path, model: Model) -> None:
        self.store, self.model, self.log = folder / "store.duckdb", model, EVENTS.empty_table()

    def run(self, profiles: pa.Table, model: Model | None = None) -> tuple[Resolution, float]:
        """Resolve; give what came out and the CPU seconds it took."""
        begun = time.process_time()
        done = resolve(
            profiles, DECISIONS.empty_table(), model or self.model, NOW, lambda: self.log,
            self.log.num_rows, self.store,
        )  # fmt: skip
        spent = time.process_time() - begun
        self.log = pa.concat_tables([self.log, done.events])
        return done, spent


def changes(people: int, seed: int) -> None:
    """Print how many records keep their customer's id when records, model or store are others."""
    records = retailer(people, seed)
    profiles = records.profiles
    rng = np.random.default_rng(1)
    is_late = rng.random(profiles.num_rows) < 0.01
    model = train(profiles.filter(pa.array(~is_late)), "splink-1").model
    retrained = train(profiles, "splink-2").model
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), model)
        first, _ = home.run(profiles.filter(pa.array(~is_late)))
        second, _ = home.run(profiles)
        rows = [["1 % more records", *_kept(first, second)]]
        home.store.unlink()
        third, _ = home.run(profiles)
        rows.append(["store made anew", *_kept(second, third)])
        fourth, _ = home.run(profiles, retrained)
        rows.append(["model trained anew", *_kept(third, fourth)])
    show(
        f"ids kept, {profiles.num_rows:,} records",
        "change  records that keep their id  events  that tell of a change",
        rows,
    )


def _kept(before: Resolution, after: Resolution) -> list[str]:
    ids = [
        {(r["source_system"], r["source_key"]): r["customer_id"]
         for r in one.customer_map.to_pylist() if r["valid_to"] is None}
        for one in (before, after)
    ]  # fmt: skip
    moved = {key for key, customer in ids[0].items() if ids[1].get(key) != customer}
    told = {
        (r["source_system"], r["source_key"]) for r in after.events.to_pylist()
        if r["event_type"] in ("merged", "split", "moved")
    }  # fmt: skip
    share = 1 - len(moved) / max(len(ids[0]), 1)
    return [f"{share:.4%}", f"{after.events.num_rows:,}", "all" if moved == told else "NOT ALL"]


@dataclass(frozen=True)
class Step:
    """A resolution that is measured, in a process of its own.

    Attributes:
        name: as it is told; its store and log are kept under it.
        held_back: so many records have not come yet.
        before: the step whose log it goes on with, and whose store, unless that is lost.
        most_seconds, most_share: bars, CPU seconds and share of the rebuild.
    """

    name: str
    held_back: int
    before: str = ""
    is_store_lost: bool = False
    most_seconds: float | None = None
    most_share: float | None = None


def cost(people: int, seed: int) -> None:
    """Print CPU seconds and peak memory of a rebuild and of deltas, inside `identity`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        count, trained = _alone(_prepared, folder, people, seed)
        hundredth = count // 100
        of_hundredth, of_thousand = f"delta of {hundredth:,} records", "delta of 1,000 records"
        steps = [
            Step("first build", hundredth + 1_000),
            Step(of_hundredth, 1_000, "first build", most_share=0.08),
            Step(of_thousand, 0, of_hundredth, most_seconds=0.7),
            Step("nothing new", 0, of_thousand),
            Step("rebuild, store lost", 0, of_thousand, is_store_lost=True, most_seconds=60.0),
        ]
        found = [_alone(_measured, folder, one) for one in steps]
        # What else the machine does costs a step more, never less.
        for _ in range(REPEATS - 1):
            again = [_alone(_measured, folder, one) for one in steps]
            found = [min(pair) for pair in zip(found, again, strict=True)]
    rebuilt, peak, size, largest = found[-1]
    rows = [["training", f"{trained:.1f}", "", "", ""]]
    for step, (spent, most, *_) in zip(steps, found, strict=True):
        share = spent / rebuilt
        bars = [spent / step.most_seconds] if step.most_seconds else []
        bars += [share / step.most_share] if step.most_share else []
        rows.append([step.name, f"{spent:.2f}", f"{share:.1%}", f"{most:.2f}",
                     "".join(f"{bar:.2f}" for bar in bars)])  # fmt: skip
    title = f"{count:,} records, store {size / 1e6:.0f} MB, largest customer {largest}"
    show(f"{title}, least of {REPEATS}; rebuild at {peak / MOST_MEMORY:.2f} of {MOST_MEMORY:.0f} GB",
         "step  CPU seconds  of a rebuild  peak GB  of its bar", rows)  # fmt: skip


def _alone(work: Callable[..., Told], *given: object) -> Told:
    """Have a process of its own do it, so that its peak of memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(work, *given).result()


def _prepared(folder: Path, people: int, seed: int) -> tuple[int, float]:
    """Write down profiles and a model of them; their number and the CPU seconds of the training."""
    profiles = retailer(people, seed).profiles
    begun = time.process_time()
    tables = model_tables(train(profiles, "splink").model)
    trained = time.process_time() - begun
    for name, table in {"profiles": profiles, **tables}.items():
        parquet.write_table(table, folder / f"{name}.parquet")
    return profiles.num_rows, trained


def _measured(folder: Path, step: Step) -> tuple[float, float, int, int]:
    """CPU seconds and peak GB of a step, the size of its store, and the records of the largest customer."""
    import scipy.sparse.csgraph  # noqa: F401  # no step pays for what is imported once

    told, names, profiles = (
        parquet.read_table(folder / f"{name}.parquet")
        for name in ("identity_model", "identity_name_frequencies", "profiles")
    )
    model = model_of(told, names)
    assert model
    place = np.random.default_rng(1).permutation(profiles.num_rows)
    profiles = profiles.filter(pa.array(place >= step.held_back)).combine_chunks()
    here, log = folder / step.name, "log.parquet"
    here.mkdir(exist_ok=True)
    home = Home(here, model)
    home.store.unlink(missing_ok=True)
    if step.before:
        home.log = parquet.read_table(folder / step.before / log)
    if step.before and not step.is_store_lost:
        shutil.copy(folder / step.before / home.store.name, home.store)
    done, spent = home.run(profiles)
    parquet.write_table(home.log, here / log)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return spent, peak, home.store.stat().st_size, max(done.sizes)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "what", choices=("quality", "labels", "countries", "public", "changes", "cost")
    )
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=7102)
    parser.add_argument("--peer-python", type=Path)
    given = parser.parse_args()
    if given.what == "public":
        public_sets(given.folder, given.peer_python)
    elif given.what == "labels":
        labels(given.people, given.seed, 7104)
    else:
        {"quality": quality, "countries": countries, "changes": changes, "cost": cost}[given.what](
            given.people, given.seed
        )


if __name__ == "__main__":
    main()
