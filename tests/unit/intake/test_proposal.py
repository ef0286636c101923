"""What is guessed from files: entities, mappings, doubts; and that whatever is guessed loads."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.contract import contracts
from intake.examine import examine
from intake.fault import InputFault
from intake.proposal.propose import Proposal, propose, write_proposal
from intake.read import RESERVED
from intake.source import read_system
from tests.conftest import cases

ORDERS = """\
order_id,order_date,customer,product,quantity,price
1,2024-01-13,ann,apple,2,1.50
1,2024-01-13,ann,pear,1,2.00
2,2024-01-14,,apple,1,1.50
"""
FRENCH = """\
Num_Commande;Client;Date Commande;Réf. Produit;Désignation;Qté;Prix Unitaire
A1;C1;13/01/2024;P1;Pomme;2;1 200,50 €
A1;C1;13/01/2024;P2;Poire;1;2,00 €
A2;C2;14/01/2024;P1;Pomme;3;1,50 €
"""


def file(folder: Path, text: str, name: str = "orders.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def written(folder: Path, *paths: Path) -> Proposal:
    """A proposal, written and accepted as a system."""
    proposal = propose("shop", paths)
    write_proposal(proposal, folder / "systems")
    read_system("shop", [folder / "systems"])
    return proposal


def accepted(folder: Path) -> dict[str, int]:
    found = examine(read_system("shop", [folder / "systems"]), None)
    assert [fault.what for one in found.entities for fault in one.faults] == []
    return {one.entity: one.rows("accepted") for one in found.entities}


def todos(proposal: Proposal, entity: str) -> str:
    (found,) = [one for one in proposal.mappings if one.contract.entity == entity]
    return "\n".join(found.todos)


def test_an_orders_file_feeds_orders_lines_customers_and_products(tmp_path: Path) -> None:
    written(tmp_path, file(tmp_path, ORDERS))
    assert accepted(tmp_path) == {"orders": 3, "order_lines": 3, "customers": 2, "products": 3}


def test_french_words_decimal_commas_and_days_first_are_understood(tmp_path: Path) -> None:
    proposal = written(tmp_path, file(tmp_path, FRENCH, "ventes.csv"))
    assert accepted(tmp_path) == {"orders": 3, "order_lines": 3, "customers": 3, "products": 3}
    assert "'%d/%m/%Y'" in proposal.texts["orders.sql"]
    assert 'max_by("Désignation", _row) as product_name' in proposal.texts["products.sql"]
    assert "currency: EUR" in proposal.texts["source.yaml"]
    assert todos(proposal, "orders") == ""


@pytest.mark.parametrize(
    ("days", "doubt"),
    [
        (("03/01/2024", "04/01/2024"), "day/month/year is taken"),
        (("03/13/2024", "04/01/2024"), ""),
        (("03/04/2024 1:05 PM", "04/01/2024 2:10 AM"), "month/day/year is taken"),
        (("2024-01-03 10:00:00", "2024-01-04 11:00:00"), "taken as UTC"),
        (("2024-01-03T10:00:00Z", "2024-01-04T11:00:00+02:00"), ""),
        (("2024-01-03 10:00:00 +0100", "2024-01-04 11:00:00 +0100"), ""),
        (("20240103", "20240104"), ""),
        (("1704276000", "1704362400"), ""),
        (("3 Jan 2024", "14 Jan 2024"), ""),
    ],
)
def test_a_date_is_read_as_written_and_doubted_when_it_can_be_two(
    tmp_path: Path, days: tuple[str, ...], doubt: str
) -> None:
    rows = "".join(f"{n},{day},ann,5.00\n" for n, day in enumerate(days))
    proposal = written(tmp_path, file(tmp_path, f"order_id,order_date,customer,amount\n{rows}"))
    assert accepted(tmp_path)["orders"] == len(days)
    told = todos(proposal, "orders")
    assert doubt in told if doubt else not told


def test_a_file_without_order_numbers_takes_each_row_as_an_order(tmp_path: Path) -> None:
    path = tmp_path / "cds.parquet"
    duckdb.sql(
        "select 1 as client, date '2024-01-02' as date, 3 as qty, 9.5 as spend"
    ).write_parquet(str(path))
    proposal = written(tmp_path, path)
    assert accepted(tmp_path) == {"orders": 1, "order_lines": 1, "customers": 1}
    assert "each row is one order" in todos(proposal, "orders")


def test_files_of_their_own_are_preferred_to_keys_in_others(tmp_path: Path) -> None:
    customers = file(tmp_path, "id,created\nann,2020-01-01\nbob,2021-01-01\n", "clients.csv")
    stores = file(tmp_path, "store_id,store_name,channel\n1,Web,web\n", "magasins.csv")
    proposal = written(tmp_path, file(tmp_path, ORDERS), customers, stores)
    fed = {one.contract.entity: one.delivery.alias for one in proposal.mappings}
    assert fed == {"orders": "orders", "order_lines": "orders", "products": "orders",
                   "customers": "clients", "stores": "magasins"}  # fmt: skip
    assert accepted(tmp_path)["customers"] == 2


def test_coupons_and_campaigns_are_known_by_their_keys(tmp_path: Path) -> None:
    written(
        tmp_path,
        file(tmp_path, "campaign_id,household_id\n1,ann\n", "mailing.csv"),
        file(tmp_path, "campaign_id,start_date,end_date\n1,2024-01-01,2024-02-01\n", "campaigns.csv"),
        file(tmp_path, "coupon_id,product_id,campaign_id\n7,apple,1\n", "coupons.csv"),
    )  # fmt: skip
    fed = accepted(tmp_path)
    assert {"campaign_assignments": 1, "campaigns": 1, "coupons": 1}.items() <= fed.items()


def test_files_with_the_same_columns_are_deliveries_of_one(tmp_path: Path) -> None:
    january = file(tmp_path, ORDERS, "orders_2024-01.csv")
    february = file(tmp_path, ORDERS.replace("\n1,", "\n8,"), "orders_2024-02.csv")
    proposal = written(tmp_path, january, february)
    assert "path: orders_*.csv" in proposal.texts["source.yaml"]
    assert accepted(tmp_path)["order_lines"] == 6


def test_a_rate_is_not_taken_for_an_amount_of_discount(tmp_path: Path) -> None:
    text = "order_id,order_date,customer,amount,discount\n1,2024-01-13,ann,5,10%\n"
    proposal = written(tmp_path, file(tmp_path, text))
    assert "looks like a share" in todos(proposal, "order_lines")
    assert "0 as discount_amount" in proposal.texts["order_lines.sql"]


def test_returns_are_told(tmp_path: Path) -> None:
    proposal = written(tmp_path, file(tmp_path, ORDERS.replace("apple,2", "apple,-2")))
    assert "quantity below 0" in todos(proposal, "order_lines")


def test_a_column_called_like_a_number_that_holds_words_is_not_taken(tmp_path: Path) -> None:
    text = ORDERS.replace("1.50", "cheap").replace("2.00", "dear")
    proposal = written(tmp_path, file(tmp_path, text))
    assert (
        '"price" is called like unit_price, but its values are none'
        in (proposal.texts["source.yaml"])
    )


def test_a_first_line_of_data_is_not_shown(tmp_path: Path) -> None:
    path = file(tmp_path, "1,jane@example.org,2024-01-01\n2,bob@example.org,2024-01-02\n")
    proposal = written(tmp_path, path)
    assert proposal.mappings == ()
    assert "jane" not in str(proposal.texts)
    assert "the first line looks like data" in proposal.texts["source.yaml"]


def test_a_name_that_cannot_be_one_gets_one_that_can(tmp_path: Path) -> None:
    with pytest.raises(InputFault) as raised:
        propose("Épicerie du Coin", [file(tmp_path, ORDERS)])
    assert raised.value.code == "bad-system-name"
    assert "epicerie_du_coin" in raised.value.fix


def test_a_system_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    proposal = written(tmp_path, file(tmp_path, ORDERS))
    with pytest.raises(InputFault) as raised:
        write_proposal(proposal, tmp_path / "systems")
    assert raised.value.code == "system-exists"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = file(tmp_path, ORDERS)
    with pytest.raises(InputFault) as raised:
        write_proposal(propose("shop", [path]), path)
    assert raised.value.code == "folder-not-writable"


@pytest.mark.parametrize(
    "name",
    ['a"; drop table x; --', "sélect", "select", "client\u2028x", "a'b", "x y", "-- */", "V", "n"],
)
def test_a_strange_name_of_a_column_stays_a_name(tmp_path: Path, name: str) -> None:
    """The only column with dates is the order's, whatever it is called."""
    path = tmp_path / "orders.csv"
    with path.open("w", newline="", encoding="utf-8") as text:
        csv.writer(text).writerows(
            [["order_id", name, "customer", "amount"], ["1", "2024-01-13", "ann", "5.00"]]
        )
    proposal = written(tmp_path, path)
    if name.isprintable():
        assert accepted(tmp_path) == {"orders": 1, "order_lines": 1, "customers": 1}
    else:
        assert "orders.sql" not in proposal.texts


WORDS = ["order_id", "customer", "date", "amount", "qty", "price", "product", "name", "id", "email",
         "store", "discount", "currency", "channel", "v", "n", "D", "m", "rule", "json",
         *contracts()]  # fmt: skip
TEXTS = st.characters(exclude_characters="\0", codec="utf-8")
NAMES = st.one_of(st.sampled_from(WORDS), st.text(TEXTS, min_size=1, max_size=12))
CELLS = st.one_of(
    st.sampled_from(["", "1", "-3", "1,5", "12 €", "13/01/2024", "01/02/2024", "2024-01-05", "EUR",
                     "web", "NaN", "inf", "1e999", "۱۲", "0001-01-01", "99999999999"]),
    st.text(TEXTS, max_size=8),
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> list[Sequence[str]]:
    header = draw(st.lists(NAMES, min_size=1, max_size=6, unique_by=str.casefold))
    row = st.lists(CELLS, min_size=len(header), max_size=len(header))
    return [header, *draw(st.lists(row, max_size=6))]


@settings(
    max_examples=cases(60), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    rows=tables(), delimiter=st.sampled_from(",;\t|"),
    name=st.sampled_from(["orders", "clients", "a[1]*", "select", "mapped", "é '\""]),
)  # fmt: skip
def test_any_table_becomes_a_system_that_can_be_examined_or_is_refused_as_a_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Sequence[str]], delimiter: str, name: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as text:
        csv.writer(text, delimiter=delimiter).writerows(rows)
    try:
        write_proposal(propose("shop", [path]), folder / "systems")
        found = examine(read_system("shop", [folder / "systems"]), None)
    except InputFault as fault:
        refused = [fault.code]
    else:
        refused = [fault.code for one in found.entities for fault in one.faults]
    ours = (
        {"wrong-header"} if any(name.strip().casefold() in RESERVED for name in rows[0]) else set()
    )
    assert set(refused) <= {"unreadable-file", "empty-file", *ours}
