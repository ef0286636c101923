"""The pages of the entities say what the contracts say."""

from __future__ import annotations

import pytest
import yaml

from intake.contract import contracts
from intake.source import EntitySpec
from orchestration import entities
from orchestration.entities import pages


def test_the_pages_are_those_the_contracts_give() -> None:
    found = {path.name: path.read_text("utf-8") for path in entities.FOLDER.glob("*.md")}
    assert found == pages(), "write them anew:  python -m orchestration.entities"


@pytest.mark.parametrize("entity", contracts())
def test_a_page_names_every_column_and_every_allowed_value(entity: str) -> None:
    page = pages()[f"{entity}.md"]
    for field in contracts()[entity].fields:
        assert all(f"`{name}`" in page for name in (field.name, *field.allowed))


def test_the_example_of_a_permission_is_one() -> None:
    example = yaml.safe_load(pages()["README.md"].split("```yaml\n")[1].split("```")[0])
    for entity, spec in example["entities"].items():
        assert EntitySpec(**spec).allow_sensitive.keys() <= contracts()[entity].sensitive_columns
