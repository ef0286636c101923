"""The reference pages say what the code does: commands, errors and the shapes of the JSON."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from intake.source import read_system
from orchestration import reference
from orchestration.doctor import examine_home
from orchestration.run import Request, nothing_to_do, result_head
from orchestration.settings import PROJECT, Home, read_config
from orchestration.status import read_status
from orchestration.summary import Checks, summarise
from tests.conftest import Shop
from tests.unit.orchestration.conftest import RUN_ID, Command, describes, schema

ROOMS = ("intake", "identity", "ml", "serving", "orchestration", "retailer")
DOCS = PROJECT / "docs"
RAISERS = re.compile(r".*(Fault|Error|Unreadable)$|.*_refused$|.*_fault$")
CODE = re.compile(r"[a-z]+(-[a-z]+)+")
VERBS = (
    "run", "new-system", "check-system", "status", "loads", "models", "rollback", "explain_column",
    "explain_customer", "undo", "vacuum", "backup", "backfill", "replay", "doctor", "error",
    "notification", "retailer",
)  # fmt: skip


def source_trees() -> Iterator[ast.AST]:
    for room in ROOMS:
        for path in (PROJECT / room).rglob("*.py"):
            yield ast.parse(path.read_text("utf-8"))


def codes_of(node: ast.AST) -> Iterator[str]:
    """Codes of faults: `code = "…"` in a class, or the code a fault is made with."""
    if isinstance(node, ast.ClassDef):
        for line in node.body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                yield str(ast.literal_eval(line.value))
    if isinstance(node, ast.Call) and RAISERS.match(ast.unparse(node.func)):
        texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
        yield from (text for text in texts if isinstance(text, str) and CODE.fullmatch(text))


def source_codes() -> set[str]:
    return {code for tree in source_trees() for node in ast.walk(tree) for code in codes_of(node)}


def paragraphs() -> dict[str, str]:
    text = (DOCS / "errors.md").read_text("utf-8")
    return dict(re.findall(r"^## (\S+)\n\n(.+?)(?=\n## |\Z)", text, re.DOTALL | re.MULTILINE))


def test_the_page_of_commands_is_the_one_the_code_writes() -> None:
    assert reference.PAGE.read_text("utf-8") == reference.commands_page(), (
        "write it anew:  python -m orchestration.reference"
    )


def test_every_setting_that_status_shows_is_on_the_page(full_home: Home) -> None:
    shown = {
        one["name"].replace(".shop.", ".<name>.") for one in read_status(full_home)["settings"]
    }
    assert shown == {row[0].strip("`") for row in reference.SETTINGS}


def test_every_error_has_its_paragraph_and_no_paragraph_is_left_over() -> None:
    assert set(paragraphs()) == source_codes()


@pytest.mark.parametrize("code", sorted(source_codes()))
def test_a_paragraph_tells_of_the_data_the_causes_and_the_remedy(code: str) -> None:
    for part in ("**Your data.**", "**Causes.**", "**Do.**"):
        assert part in paragraphs()[code]


def test_every_error_is_raised_by_a_test() -> None:
    asked = {
        node.value
        for path in (PROJECT / "tests").rglob("test_*.py")
        if path != Path(__file__)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = asked | {code for text in asked for code in re.findall(r"error\[(.+?)\]", text)}
    assert source_codes() - named == set()


def test_every_exit_code_is_on_the_page() -> None:
    found = {
        ast.literal_eval(node.value)
        for tree in source_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.keyword)
        and (node.arg if isinstance(node, ast.keyword) else ast.unparse(node.targets[0]))
        == "exit_code"
        and isinstance(node.value, ast.Constant)
    }
    assert found <= {int(row[0]) for row in reference.EXIT_CODES}


@pytest.mark.parametrize("verb", VERBS)
def test_the_schemas_are_schemas(verb: str) -> None:
    Draft202012Validator.check_schema(schema(verb))


def test_the_shape_of_status_is_described(
    full_home: Home, shop_home: Home, unicus: Command
) -> None:
    describes("status", json.loads(unicus("status", "--json", "--home", full_home.root).stdout))
    error = {
        "code": "c",
        "subject": "s",
        "what": "",
        "where": "",
        "why": "",
        "state": "",
        "fix": "",
    }
    failed = result_head(full_home, "failed", 1) | {"stage": "core", "error": error}
    (full_home.logs / f"{RUN_ID}.json").write_text(json.dumps(failed), "utf-8")
    describes("status", read_status(full_home))


def test_the_shape_of_status_is_described_before_the_first_run(shop_home: Home) -> None:
    describes("status", read_status(shop_home))


def test_the_shape_of_doctor_is_described(full_home: Home, unicus: Command) -> None:
    describes("doctor", json.loads(unicus("doctor", "--json", "--home", full_home.root).stdout))
    full_home.published.unlink()
    describes("doctor", examine_home(full_home))


def test_the_shape_of_an_error_is_described(unicus: Command) -> None:
    for arguments in (("status",), ("run", "--system", "nobody"), ("doctor", "--wrong")):
        describes("error", json.loads(unicus(*arguments, "--json").stdout))


def test_the_shape_of_a_run_that_is_done_is_described(full_home: Home, shop: Shop) -> None:
    began = datetime(2024, 1, 1, tzinfo=UTC)
    checks = Checks(3, ("orders_are_fresh",), ())
    system = read_system("shop", [shop.folder])
    told = summarise(full_home, [system], RUN_ID, 1.5, began, checks)
    describes("run", result_head(full_home, "done") | told)
    assert f"unicus status --home {full_home.root}" in told["next"], "no command finds this home"


def test_the_shape_of_a_run_with_nothing_to_do_is_described(full_home: Home) -> None:
    ending = nothing_to_do(Request(full_home), read_config(full_home))
    assert ending is not None
    describes("run", ending.value)


def test_the_shape_of_a_plan_is_described(full_home: Home, unicus: Command) -> None:
    done = unicus("run", "--dry-run", "--json", "--home", full_home.root)
    describes("run", json.loads(done.stdout))
