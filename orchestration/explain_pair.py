"""`unicus explain pair`: why two records are one customer or are not, as JSON and as a page.

What is told is found in `identity/explain.py`; here is how it reads.
"""

from __future__ import annotations

import shlex
from typing import Any

from orchestration.console import aligned
from orchestration.settings import Home, SettingFault, require_home

SCHEMA = "unicus.explain_pair/1"


def read_pair(home: Home, left: str, right: str) -> dict[str, Any]:
    """Collect what decided on two records, each told as SYSTEM:KEY.

    Raises:
        SettingFault: no home, no run yet, or a record that no run has resolved.
    """
    require_home(home)
    from identity.compare import RULES
    from identity.explain import NoStore, UnknownRecord, explain_pair
    from orchestration.identity_lake import promoted_model

    run = f"unicus run --home {shlex.quote(str(home.root))}"
    model = promoted_model(home.lake) or RULES
    try:
        found = explain_pair(home.identity_store, model, _key(left), _key(right))
    except NoStore as error:
        raise SettingFault(
            "nothing-resolved", str(home.root), "what was resolved cannot be read now",
            where=str(home.identity_store), why=f"the store of identity: {error}",
            fix=f"wait for the run that is under way, or  {run}",
        ) from None  # fmt: skip
    except UnknownRecord as error:
        raise SettingFault(
            "no-such-record", ":".join(error.key), "no source in force mentions this record",
            where=str(home.root), why="records are told as SYSTEM:KEY, as in retailer_shop:W00825182",
            fix=f"look it up in identity_records, or  {run}  if it came with files not yet read",
        ) from None  # fmt: skip
    return {"schema": SCHEMA, "home": str(home.root), **found}


def _key(asked: str) -> tuple[str, str]:
    system, _, key = asked.partition(":")
    return system, key


def pair_text(value: dict[str, Any]) -> str:
    """The explanation as a page."""
    left, right = value["left"], value["right"]
    verdict = "one customer" if value["is_one_customer"] else "two customers"
    tier = ", also in the strict tier" if value["is_one_strict_customer"] else ""
    head = [
        ("home", value["home"]),
        ("records", f"{left['record']} and {right['record']}"),
        ("verdict", f"{verdict}{tier}: {_why(value)}"),
        ("customers", left["customer_id"] if value["is_one_customer"]
         else f"{left['customer_id']} and {right['customer_id']}"),
        ("model", value["model"]),
    ]  # fmt: skip
    bits = [("compared", "how", "bits")]
    bits += [(one["value"], one["level"], f"{one['bits']:+.1f}") for one in value["agreement"]]
    for title, name in (("rareness of the name", "rareness_of_name_bits"),
                        ("shared with others", "shared_by_others_bits")):  # fmt: skip
        if value[name]:
            bits.append((title, "", f"{value[name]:+.1f}"))
    bits += [("two records at random", "", f"{value['prior_bits']:+.1f}"),
             ("together", "", f"{value['weight_bits']:+.1f}")]  # fmt: skip
    bits += [(f"{name} from", "", f"{one:+.1f}") for name, one in value["thresholds"].items()]
    keys = [("both have one", "records with it", "people", "")]
    keys += [
        (one["key"], f"{one['records']:,}", f"{one['people']:,}",
         "" if one["is_used"] else "too many share it")
        for one in value["shared_keys"]
    ]  # fmt: skip
    steps = [("from", "to", "bits")] + [
        (one["from"], one["to"], "a steward" if one["bits"] is None else f"{one['bits']:+.1f}")
        for one in value["path"]
    ]
    before = [("record", "was of", "until")] + [
        (side["record"], one["customer_id"], one["to"][:16].replace("T", " "))
        for side in (left, right) for one in side["before"]
    ]  # fmt: skip
    parts = [
        aligned(head, indent=""),
        aligned(bits),
        aligned(keys) if len(keys) > 1 else "  nothing brings the two together to be compared",
        f"linked by way of\n{aligned(steps)}" if len(steps) > 1 else "",
        f"before\n{aligned(before)}" if len(before) > 1 else "",
    ]
    return "\n\n".join(filter(None, parts))


def _why(value: dict[str, Any]) -> str:
    """The one thing that decided."""
    if value["decision"]:
        return f"a steward decided to {value['decision']} them"
    if value["refused"]:
        return f"their link was refused, {value['refused']}"
    weight, link = value["weight_bits"], value["thresholds"]["link"]
    if value["is_one_customer"]:
        return "they are linked" if len(value["path"]) == 1 else "other records of theirs link them"
    if not any(one["is_used"] for one in value["shared_keys"]):
        return "they share nothing that few share"
    if value["contradicts"]:
        return "what they tell contradicts each other"
    return "they weigh too little" if weight < link else "links around them were refused"
