"""The pages of the entities, one per contract: `python -m orchestration.entities`.

What an entity and its columns mean, and what a row must satisfy, is said in `intake/contracts`; here
only how a page shows it. Models have pages of their own, written by `dictionary.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from intake.contract import Contract, Field, contracts
from orchestration.markdown import table
from orchestration.settings import PROJECT

FOLDER = PROJECT / "docs" / "entities"

HEAD = """\
# Entities

Written by `python -m orchestration.entities` from the contracts; a test holds it to them. An entity is
what a system may deliver: one SQL file per entity says which of its columns is which.
[CONTRIBUTING.md](../../CONTRIBUTING.md#a-source) says how. An entity that nobody delivers is an empty
table. A column that a mapping does not give is empty; `currency` is then the system's own.
"""

CLASSIFICATIONS = """\
## Classification

- **personal**: says who a person is or what they are like.
- **sensitive**: tells, or may tell, of health, belief, opinion, origin, sexual life, biometrics or an
  exact position. A mapping that fills such a column is refused unless the system's `source.yaml` names
  it with a reason:

```yaml
entities:
  interactions:
    file: calls
    delivery: upsert
    allow_sensitive:
      notes: Agents write them for the next agent; faith and health are forbidden by the desk's rules.
```
"""


def pages() -> dict[str, str]:
    """Every page by its file name, the list of them included."""
    known = contracts()
    return {"README.md": _index(known)} | {f"{e}.md": _page(one) for e, one in known.items()}


def _index(known: dict[str, Contract]) -> str:
    rows = [
        (f"[{entity}]({entity}.md)", _first_sentence(one.description), _code(one.key))
        for entity, one in known.items()
    ]
    return f"{HEAD}\n{table(('entity', 'grain', 'key'), rows)}\n{CLASSIFICATIONS}"


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."


def _page(contract: Contract) -> str:
    columns = [_column(contract, field) for field in contract.fields]
    head = ("column", "type", "required", "rule", "classification", "meaning")
    facts = "\n".join(f"- **{name}:** {text}" for name, text in _facts(contract))
    return (
        f"# {contract.entity}\n\n{contract.description}\n\n{facts}\n\n"
        f"## Columns\n\n{table(head, columns)}"
    )


def _facts(contract: Contract) -> Iterator[tuple[str, str]]:
    file = f"{contract.entity}.yaml"
    yield "Contract", f"[{file}](../../intake/contracts/{file}), version {contract.version}"
    if contract.key:
        yield "Key", _code(contract.key)
    else:
        yield "Key", f"none; the rows belong to `{contract.parent_key}` of `{contract.parent}`"
    if contract.event_time:
        yield (
            "Dated by",
            f"`{contract.event_time}`; a row dated after the day of its load is quarantined",
        )
    yield "Versions", _versions(contract)
    if contract.is_clock:
        yield "Clock", "its days tell up to when the data is complete, and so the default `as_of`"


def _versions(contract: Contract) -> str:
    order = (
        f"in the order of `{contract.version_by}`; where that is equal or empty the later load wins"
    )
    if contract.key:
        return f"a row with a known key is a new version of its record, {order}"
    return f"the newest delivery of a parent's rows replaces all before it, {order}"


def _column(contract: Contract, field: Field) -> tuple[str, ...]:
    required = "key" if field.name in contract.key else "yes" if field.required else ""
    rule = ", ".join(_rules(field))
    return (
        f"`{field.name}`", field.type, required, rule, field.classification, field.description,
    )  # fmt: skip


def _rules(field: Field) -> Iterator[str]:
    if field.minimum is not None:
        yield f"at least {field.minimum:g}"
    if field.maximum is not None:
        yield f"at most {field.maximum:g}"
    if field.pattern:
        yield f"of the form `{field.pattern}`"
    if field.allowed:
        yield f"one of {_code(field.allowed)}"


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.md"):
        stale.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")
