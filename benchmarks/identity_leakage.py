"""What features of a date know through identity of what was learned of people after it.

    python -m benchmarks.identity_leakage [--customers 2000] [--days 14]

Who is who is known now: features read the map of today, also those of past dates. With one map, none of
them changes when the future is deleted (`tests/integration/test_as_of.py`). Here the map changes: two homes
of one retailer run as of the same date, with the same files that had come by then. One has the customers'
profiles of the days after it, too, as a home of today has; the other resolves records as it would have on
that date. Each record of the second home is looked up in both, and the features of its customer compared.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path

import duckdb
from pyarrow import parquet

from benchmarks.channels_cost import run, write_home
from benchmarks.tables import show

PROFILES = (
    "crm/contacts_", "crm/evenements_de_vie_", "messaging/contacts_", "service/contacts_",
    "shop/accounts_", "social/profiles_", "stores/porteurs_",
)  # fmt: skip
"""Files of people: what a later one tells may join or part records of an earlier date."""
COMPARED = """
    with records as (
        select source_system, source_key, then_map.customer_id as then_id, now_map.customer_id as now_id
        from then_home.identity.customer_map as then_map
        join now_home.identity.customer_map as now_map using (source_system, source_key)
        where then_map.valid_to is null and now_map.valid_to is null
    ),
    parts as (
        select then_id, now_id, count(*) as shared, min(source_system || ':' || source_key) as smallest
        from records group by then_id, now_id
    ),
    pairs as (
        select then_id, max_by(now_id, (shared, smallest)) as now_id, count(*) > 1 as is_parted
        from parts group by then_id
    ),
    joined as (select now_id, count(distinct then_id) > 1 as is_joined from records group by now_id)
"""


def homes(folder: Path, customers: int, days: int) -> tuple[Path, Path, date]:
    """Make the retailer, and two homes that read it as of a date: of then, and with the profiles of now."""
    made = folder / "retailer"
    run("retailer", "--customers", str(customers), "--folder", str(made))
    arrivals = parquet.read_table(made / "truth" / "arrivals.parquet").to_pylist()
    as_of = max(one["arrives_on"] for one in arrivals) - timedelta(days=days)
    for name in ("then", "now"):
        landing = folder / name / "landing"
        for one in arrivals:
            is_late = one["arrives_on"] >= as_of
            if not is_late or (name == "now" and one["file"].startswith(PROFILES)):
                (landing / one["file"]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(made / "landing" / one["file"], landing / one["file"])
        write_home(folder / name / "home", landing, has_predictions=False)
        run("run", "--home", str(folder / name / "home"), "--as-of", str(as_of))
    return folder / "then" / "home", folder / "now" / "home", as_of


def compare(then: Path, now: Path, as_of: date) -> None:
    """Print how many customers, and how many values of their features, are others."""
    with duckdb.connect() as con:
        for name, home in (("then", then), ("now", now)):
            warehouse = home / "warehouse" / "warehouse.duckdb"
            con.execute(f"attach '{warehouse}' as {name}_home (read_only)")
        columns = [
            name for name, *_ in con.execute("describe then_home.features.customer_features").fetchall()
            if name not in ("customer_id", "as_of_date")
        ]  # fmt: skip
        changed = " + ".join(f"cast(l.{name} is distinct from r.{name} as int)" for name in columns)
        customers, parted, merged, featured, touched, values = con.execute(f"""
            {COMPARED},
            compared as (
                select pairs.then_id, ({changed}) as changed
                from pairs
                join then_home.features.customer_features as l
                    on pairs.then_id = l.customer_id and l.as_of_date = date '{as_of}'
                left join now_home.features.customer_features as r
                    on pairs.now_id = r.customer_id and r.as_of_date = date '{as_of}'
            )
            select (select count(*) from pairs), (select count(*) from pairs where is_parted),
                (select count(*) from pairs join joined using (now_id) where is_joined),
                count(*), count(*) filter (where changed > 0), coalesce(sum(changed), 0)
            from compared
        """).fetchall()[0]
    rows = [
        ["customers then", f"{customers:,}", ""],
        ["of them, parted now", f"{parted:,}", f"{parted / customers:.2%}"],
        ["of them, merged with another now", f"{merged:,}", f"{merged / customers:.2%}"],
        ["customers with features then", f"{featured:,}", ""],
        ["of them, with another value now", f"{touched:,}", f"{touched / featured:.2%}"],
        [f"values, of {len(columns)} features each", f"{featured * len(columns):,}", ""],
        ["of them, others now", f"{values:,}", f"{values / (featured * len(columns)):.3%}"],
    ]
    show(f"as of {as_of}: identity of then against identity of now", "what  count  share", rows)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=14)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        compare(*homes(Path(scratch), given.customers, given.days))


if __name__ == "__main__":
    main()
