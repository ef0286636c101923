"""How `unicus explain customer` reads: one shape as JSON, a page that cuts nothing, clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from identity.resolve import CUSTOMER_MAP
from orchestration.explain_customer import explanation_text, read_explanation
from orchestration.settings import Home
from tests.integration.test_older_home import unpacked
from tests.unit.orchestration.conftest import Command, describes


def test_an_older_home_is_explained_to_the_line_and_says_what_it_lacks(tmp_path: Path) -> None:
    home = unpacked(tmp_path)
    value = read_explanation(home, "corner:c4")
    describes("explain_customer", value)
    assert value["orders"]
    assert all(check["is_equal"] for check in value["checks"])
    text = explanation_text(value, 2)
    shown = [order["order_id"] in text for order in value["orders"]]
    assert shown == [True, True, *[False] * (len(shown) - 2)]
    assert f"the newest 2 of {len(shown)} orders" in text
    newest = value["orders"][0]
    row = next(line for line in text.splitlines() if newest["order_id"] in line).split()
    header = newest["header"]
    assert row[-4:] == [
        header["file"], header["load_id"][:8], str(header["row"]), str(header["line"]),
    ]  # fmt: skip
    for load in value["loads"]:
        assert load["load_id"][:8] in text
        assert str(Path(load["original"]).relative_to(home.root)) in text
    for name, figure in value["customer_360"].items():
        assert name in text or name == "customer_id", f"{name} {figure} is not on the page"
    assert text.splitlines()[-1].startswith(("missing", "         "))


def test_a_page_says_what_differs_and_shows_orders_without_rows(tmp_path: Path) -> None:
    value = read_explanation(unpacked(tmp_path), "corner:c4")
    value["checks"][0]["is_equal"] = value["orders"][0]["is_equal"] = False
    value["lifecycle"] |= {"is_equal": False, "by_rule": "lost"}
    value["orders"][1]["header"] = None
    text = explanation_text(value)
    assert f"differ: {value['checks'][0]['figure']}" in text
    assert text.count("DIFFERS") == 2
    assert "the rule says lost" in text
    assert "no raw row counts" in text


def test_the_verb_answers_as_page_and_json_and_writes_no_log(
    full_home: Home, unicus: Command
) -> None:
    table = pa.Table.from_pylist(
        [{"source_system": "shop", "source_key": "ann", "customer_id": "c1"}], schema=CUSTOMER_MAP
    )
    before = sorted(path.name for path in full_home.logs.iterdir())
    page = unicus("explain", "customer", "c1", "--home", full_home.root)
    assert (page.returncode, page.stderr) == (0, "")
    assert page.stdout.startswith("home ")
    told = unicus("explain", "customer", "c1", "--json", "--home", full_home.root)
    value = json.loads(told.stdout)
    describes("explain_customer", value)
    assert "the identity map, so no record can be told" in value["missing"]
    with full_home.lake.transaction() as transaction:
        staged = full_home.lake.stage(table, "identity", "customer_map", "identity/late.parquet")
        transaction.commit("customer_map", "late", [staged])
    again = json.loads(
        unicus("explain", "customer", "c1", "--json", "--home", full_home.root).stdout
    )
    assert again == value, "what came after the publication is not told"
    assert sorted(path.name for path in full_home.logs.iterdir()) == before


def test_nobody_of_this_name_and_nothing_published_end_with_two(
    full_home: Home, shop_home: Home, unicus: Command
) -> None:
    done = unicus("explain", "customer", "c2x", "--json", "--home", full_home.root)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["fix"]) == ("no-such-customer", "unicus explain customer c1")
    full_home.published.unlink()
    done = unicus("explain", "customer", "c1", "--home", full_home.root)
    assert done.returncode == 2
    assert "error[nothing-published]" in done.stderr
    assert "unicus run" in done.stderr
