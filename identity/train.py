"""Training: what each level of agreement is worth, learned from records that nobody has labelled.

Belongs here: learning weights by Splink, or from the pairs that stewards decided. Does not belong here:
what is compared (`compare`), nor whether a model is used, which those who run it decide after they saw
who would merge and who would part.
"""

from __future__ import annotations

import json
import logging
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from identity.candidates import compare_changed, levels_of, take_changes
from identity.clusters import recluster
from identity.compare import (
    ADDRESS,
    BIRTH,
    COMPARISONS,
    EMAIL,
    FIRST_NAMES_DIFFER,
    IDENTIFIER,
    NAME,
    NO_NAME_FREQUENCY,
    PHONE,
    RULES,
    VALUES,
    Comparison,
    Model,
    logit,
)
from identity.store import RECORD, open_store

if TYPE_CHECKING:
    from splink import Linker

LEAST_PAIRS = 200
"""Pairs that share a value below which nothing is learned from them."""
SAMPLED_RECORDS = 40_000
"""Records that are learned from, drawn by component so that who belongs together stays together."""
CLEAN = 0.9
"""Share of matches among the pairs of a block from which on it teaches how names agree."""
LEAST_BIRTHDAYS = 50
"""Pairs with birthdays below which it stays open whether differing first names are two people."""
RANDOM_PAIRS = 1_000_000
SEED = 1
BLOCKS = (
    ("email",),
    ("mobile_phone",),
    ("house_key", "first_name"),
    ("name_key", "place"),
    ("name_key", "birth_date"),
    ("place", "birth_date"),
    ("email", "birth_date"),
    ("name_key",),
)
"""Values by which pairs are drawn: each teaches what is not compared by them."""
LEARNED = (NAME, EMAIL, PHONE, ADDRESS, BIRTH)
TRUSTED = 0.97
"""Of pairs with one card, cookie or device, the share that is one person when names tell nothing else."""
ROUNDS = 6
LINK, LABELLED_LINK = -1.5, -0.5
"""Weights from which on a model links that learned without and with labels. The guard refuses what
contradicts, so that of the rest more holds than the weight says."""


LEAST_LABELS = 200
"""Decided pairs, and a tenth as many of either kind, below which they teach nothing."""
FOLDS = 5


class NotEnough(ValueError):
    """Too little is shared among the records for anything to be learned of them."""


@dataclass(frozen=True)
class _Block:
    """What Splink found among the pairs that share the values of a block.

    Attributes:
        matches: share of one person's pairs.
        levels: probability of each level among those, by comparison and number.
    """

    matches: float
    levels: dict[tuple[str, int], float]


@dataclass(frozen=True)
class Learned:
    """A model, and what shows how it was learned.

    Attributes:
        model: what was learned.
        files: settings and charts of Splink by the names of their files; they open without a network.
    """

    model: Model
    files: dict[str, str]


_Blocks = dict[tuple[str, ...], _Block]
_Chances = dict[tuple[str, int], float]


def train(records: pa.Table, version: str) -> Learned:
    """Learn a model from records without labels.

    Expectation maximisation by Splink (Linacre et al., IJPDS 7(1), 2022), a block of pairs at a time.
    That random pairs which agree are no matches, as is usual to assume, does not hold for e-mails and
    numbers: most who share one are one person. What these are worth is therefore taken from the share
    of matches that was found among the pairs that share one.

    Args:
        records: shape PROFILES.
        version: name of the model.

    Raises:
        NotEnough: nothing can be learned from so few records.
    """
    frequencies = name_frequencies(records)
    start = replace(RULES, version=version, kind="splink", link=LINK, frequencies=frequencies)
    con = open_store(None, start)
    take_changes(con, records, start)
    compare_changed(con, start)
    start = replace(start, first_names_part=_first_names_part(con))
    blocks, unmatched, files = _learn(con)
    levels = _levels_of_matches(blocks)
    prior = logit(2 / max(records.num_rows, 2))
    model = start
    for _ in range(ROUNDS):
        model = _weighed(con, start, blocks, levels, unmatched, prior)
        prior = logit(_share_of_matches(con, model, records.num_rows))
    return Learned(model, files)


def name_frequencies(records: pa.Table) -> pa.Table:
    """How often first and last names are borne, country by country; shape NO_NAME_FREQUENCY.

    Within a country the two are taken as independent: together over all countries they are not, as
    who bears a Greek first name is likely to bear a Greek last name.
    """
    with duckdb.connect() as con:
        con.register("records", records)
        return con.execute("""
            with told as (
                select coalesce(country_code, '') as country_code, first_name, last_name
                from records where first_name is not null and last_name is not null
            ),
            placed as (
                select * from told
                where country_code <> '' or not exists (select 1 from told where country_code <> '')
            ),
            shares as (
                select country_code, count(*) / sum(count(*)) over () as share
                from placed group by country_code
            ),
            names as (
                select 'first' as part, country_code, first_name as name from placed
                union all select 'last', country_code, last_name from placed
            )
            select part, country_code, name,
                count(*) / sum(count(*)) over (partition by part, country_code) as frequency, share
            from names join shares using (country_code)
            group by part, country_code, name, share
            order by part, country_code, name
        """).to_arrow_table().cast(NO_NAME_FREQUENCY)  # fmt: skip


def _learn(con: duckdb.DuckDBPyConnection) -> tuple[_Blocks, _Chances, dict[str, str]]:
    """Learn from each block with enough pairs, and how random pairs agree; Splink's files show it."""
    from splink import Linker, SettingsCreator, block_on
    from splink.backends.duckdb import DuckDBAPI

    for name in ("splink", "splink.internals"):
        logging.getLogger(name).setLevel(logging.ERROR)
    _draw_sample(con)
    usable = [block for block in BLOCKS if _pairs_of_block(con, block) >= LEAST_PAIRS]
    if not usable:
        raise NotEnough(f"no value is shared by {LEAST_PAIRS} pairs of records")
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[_settings(one) for one in LEARNED],
        blocking_rules_to_generate_predictions=[block_on(*usable[0])],
        probability_two_random_records_match=1e-4,
    )
    database = DuckDBAPI(connection=con)
    linker = Linker(database.register("learned_from"), settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    unmatched: _Chances = {}
    for one in linker.misc.save_model_to_json(None)["comparisons"]:
        told = [level for level in one["comparison_levels"] if not level.get("is_null_level")]
        for number, level in enumerate(reversed(told)):
            unmatched[one["output_column_name"], number] = level.get("u_probability") or 0.0
    blocks: _Blocks = {}
    for block in usable:
        session = linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*block)
        )
        found = session.core_model_settings
        blocks[block] = _Block(
            found.probability_two_random_records_match,
            {
                (one.output_column_name, level.comparison_vector_value): level.m_probability
                for one in found.comparisons
                for level in one.comparison_levels
                if not level.is_null_level and isinstance(level.m_probability, float)
            },
        )
    return blocks, unmatched, _files(linker)


def _files(linker: Linker) -> dict[str, str]:
    """What Splink itself keeps and draws of what it learned, each page with all it needs."""
    charts = linker.visualisations
    return {
        "settings.json": json.dumps(linker.misc.save_model_to_json(None), indent=1, sort_keys=True),
        "match_weights.html": charts.match_weights_chart().to_html(inline=True),
        "m_u_parameters.html": charts.m_u_parameters_chart().to_html(inline=True),
    }


def _draw_sample(con: duckdb.DuckDBPyConnection) -> None:
    """Records to learn from: `learned_from`."""
    con.execute("create or replace temp table touched as select record from records")
    recluster(con, RULES)
    con.execute(f"""
        create or replace temp table learned_from as
        with together as (
            select records.*, coalesce(component, record) as component
            from records left join components using (record)
        )
        select record as unique_id, {", ".join(VALUES)} from together
        where hash(component) % 1000000 < 1000000.0 * {SAMPLED_RECORDS} / (select count(*) from together)
        order by record
    """)


def _settings(comparison: Comparison) -> dict[str, object]:
    """A comparison as Splink is told of it."""
    unknown = {
        "sql_condition": comparison.unknown,
        "label_for_charts": "not told",
        "is_null_level": True,
    }
    told = [(sql, name) for name, sql in comparison.levels] + [("ELSE", comparison.otherwise)]
    levels = [unknown, *({"sql_condition": sql, "label_for_charts": name} for sql, name in told)]
    return {"output_column_name": comparison.name, "comparison_levels": levels}


def _pairs_of_block(con: duckdb.DuckDBPyConnection, block: tuple[str, ...]) -> int:
    told = " and ".join(f"{name} is not null" for name in block)
    query = f"""
        select coalesce(sum(n * (n - 1) // 2), 0) from (
            select count(*) as n from learned_from where {told} group by {", ".join(block)}
        )
    """
    return int(con.execute(query).fetchall()[0][0])


def _levels_of_matches(blocks: _Blocks) -> _Chances:
    """Probability of each level among pairs of one person, the mean of the blocks it was learned in.

    The people of a household share mailboxes and houses, and pass for one person there: where a block
    by name and something else teaches a level, the others are left aside. How names agree is taught by
    blocks of little else than matches.
    """
    found: dict[tuple[str, int], list[tuple[bool, float]]] = defaultdict(list)
    for block, learned in blocks.items():
        by_name = {"name_key", "first_name"} & set(block)
        is_clean = len(block) > 1 if by_name else learned.matches >= CLEAN
        for (comparison, number), probability in learned.levels.items():
            is_about_names = comparison in ("name", "address") and len(block) == 1
            found[comparison, number].append(
                (is_clean and (bool(by_name) or is_about_names), probability)
            )
    means = {}
    for (comparison, number), told in found.items():
        taken = [p for is_clean, p in told if is_clean] or [p for _, p in told]
        means[comparison, number] = max(sum(taken) / len(taken), 1e-4)
    return means


def _weighed(
    con: duckdb.DuckDBPyConnection, start: Model, blocks: _Blocks, levels: _Chances,
    unmatched: _Chances, prior: float,
) -> Model:  # fmt: skip
    """The model of these probabilities, given the weight of two records drawn at random."""
    weights: dict[str, dict[str, float]] = {}
    for comparison in LEARNED:
        told = {
            name: math.log2(levels[comparison.name, number] / max(by_chance, 1e-7))
            for number, name in enumerate(comparison.names)
            if (comparison.name, number) in levels
            and (by_chance := unmatched[comparison.name, number])
        }
        weights[comparison.name] = {**start.weights.get(comparison.name, {}), **told}
    # A sample of random pairs holds too few that agree by chance in what is rare: these are counted.
    exact = {
        (ADDRESS, "same house"): "house_key", (BIRTH, "same birthday"): "birth_date",
        (NAME, "same name"): "name_key",
    }  # fmt: skip
    chances = {}
    for (comparison, level), column in exact.items():
        number = comparison.names.index(level)
        chance = _chance_to_agree(con, column)
        if chance and (comparison.name, number) in levels:
            weights[comparison.name][level] = math.log2(levels[comparison.name, number] / chance)
            chances[column] = chance
    for comparison, level, block in (
        (EMAIL, "same e-mail", ("email",)),
        (PHONE, "same mobile", ("mobile_phone",)),
        (NAME, "same name in one house", ("house_key", "first_name")),
    ):
        if block in blocks:
            weights[comparison.name][level] = logit(blocks[block].matches) - prior
    name = weights["name"]
    name["close name in one house"] = (
        name["same name in one house"] - max(name["same name"] - name["close name"], 0.0) - 1.0
    )
    weights["phone"] |= {
        "same line": min(3.0, weights["phone"]["same mobile"]),
        "lines not told": 0.0,
    }
    weights["identifier"] = {IDENTIFIER.names[1]: logit(TRUSTED) - prior}
    return replace(
        start, prior=prior, weights=weights, mean_name_frequency=chances.get("name_key", 0.0)
    )


def _first_names_part(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether records of one house or mailbox whose first names differ mostly have other birthdays."""
    told, same = con.execute(f"""
        select count(*), count(*) filter (where birth_date > 0) from compared
        where {FIRST_NAMES_DIFFER} and birth_date >= 0 and (address = 2 or email = 2)
    """).fetchall()[0]
    return bool(told < LEAST_BIRTHDAYS or same < told / 2)


def _chance_to_agree(con: duckdb.DuckDBPyConnection, column: str) -> float:
    """Share of all pairs of records that tell a value which have the same one."""
    query = f"""
        select sum(n * (n - 1)) / nullif(sum(n) * (sum(n) - 1), 0) from (
            select cast(count(*) as double) as n from records where {column} is not null group by {column}
        )
    """
    return float(con.execute(query).fetchall()[0][0] or 0.0)


def _share_of_matches(con: duckdb.DuckDBPyConnection, model: Model, records: int) -> float:
    """Of all pairs of records, the share that is expected to be one person."""
    query = f"""
        select coalesce(sum(1 / (1 + pow(2, -least(greatest({model.weight_sql}, -60), 60)))), 1)
        from compared where not {model.differs_sql}
    """
    expected = float(con.execute(query).fetchall()[0][0])
    return max(expected, 1.0) / (records * (records - 1) / 2)


def train_with_labels(start: Model, records: pa.Table, decisions: pa.Table, version: str) -> Model:
    """Correct a model by what stewards decided, if that foretells decisions it has not seen better.

    A logistic regression takes the model's weight of a pair, and how it agrees, level by level, and
    shrinks towards the model alone: few labels change little. What comes out is a model of the same
    form, whose weights anyone can read.

    Args:
        start: the model to correct.
        records: shape PROFILES.
        decisions: shape DECISIONS of `resolve`, as they stand.
        version: name of the model.

    Returns:
        The corrected model, or `start` where it foretells as well.

    Raises:
        NotEnough: too few pairs were decided.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    columns, weight, is_one = _labelled(start, records, decisions)
    fewest = min(is_one.sum(), len(is_one) - is_one.sum())
    if len(is_one) < LEAST_LABELS or fewest < LEAST_LABELS // 10:
        told = f"{len(is_one)} pairs of records known here are decided, {fewest} of the rarer kind"
        raise NotEnough(told)
    features = np.column_stack([weight * math.log(2), columns])
    regression = LogisticRegression(C=0.3, max_iter=1000)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    foretold = cross_val_predict(regression, features, is_one, cv=folds, method="predict_proba")[
        :, 1
    ]
    before = 1 / (1 + np.exp2(-np.clip(weight, -60, 60)))
    if log_loss(is_one, foretold) >= log_loss(is_one, before):
        return start
    regression.fit(features, is_one)
    scale, *shifts = regression.coef_[0]
    bits = iter(np.asarray(shifts) / math.log(2))
    weights = {
        one.name: {
            name: float(scale * start.worth(one.name, name) + next(bits)) for name in one.names
        }
        for one in COMPARISONS
    }
    return replace(
        start, version=version, kind="labels", weights=weights, link=LABELLED_LINK, rareness=float(scale),
        prior=float(scale * start.prior + regression.intercept_[0] / math.log(2)),
    )  # fmt: skip


def _labelled(start: Model, records: pa.Table, decisions: pa.Table) -> tuple[Any, Any, Any]:
    """Levels of the decided pairs, one column each, what the model weighs them, and what was decided."""
    import numpy as np

    con = open_store(None, start)
    take_changes(con, records, start)
    con.register("given", decisions)
    left, right = (RECORD.replace("source_", f"{side}_source_") for side in ("left", "right"))
    con.execute(f"""
        create or replace temp table labels as
        select least(l, r) as a, greatest(l, r) as b, max_by(decision, decided_at) = 'link' as is_one
        from (select *, {left} as l, {right} as r from given) where l <> r group by 1, 2
    """)
    levels_of(con, "labels", "label_levels")
    columns = ", ".join(
        f"cast({one.name} = {number} as int)"
        for one in COMPARISONS
        for number in range(len(one.names))
    )
    found = con.execute(f"""
        select {start.weight_sql} as weight, is_one, {columns}
        from label_levels join labels using (a, b) where not {start.contradicts_sql} order by a, b
    """).fetchall()
    told = np.array([[float(value) for value in row] for row in found]).reshape(
        len(found), 2 + sum(len(one.names) for one in COMPARISONS)
    )
    return told[:, 2:], told[:, 0], told[:, 1].astype(bool)
