"""Quality: what the model says alone of the pairs that stewards decided, and which links to ask them about.

Belongs here: kinds of pairs, the decided pairs beside the model's word, and a sample of the links. Does not
belong here: how well the model does, which is counted from these (`identity_quality` of the marts).
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from identity.candidates import levels_of
from identity.compare import FIRST_NAMES_DIFFER, NAME, Model, number

DECIDED_PAIRS = pa.schema(
    [
        ("left_source_system", pa.string()),
        ("left_source_key", pa.string()),
        ("right_source_system", pa.string()),
        ("right_source_key", pa.string()),
        ("stratum", pa.string()),
        ("weight_bits", pa.float64()),
        ("is_linked", pa.bool_()),
        ("is_one_person", pa.bool_()),
    ]
)
"""Pairs of which a decision stands: whether the model links them by itself, and what the steward says."""

SAMPLED_LINKS = 25
"""Links of each stratum that stewards are asked about."""

STRATUM = f"""
    case when {FIRST_NAMES_DIFFER} then 'household'
        when name = -1 or {NAME.is_one_of("part of a name")} then 'nameless'
        when email < 2 and phone < 2 and birth_date < 2 and identifier < 1 then 'name'
        else 'identifier' end
"""
"""What a pair can be mistaken by: `household`, first names differ; `nameless`, a record has no whole name;
`name`, nothing but names and addresses agrees; `identifier`, something else agrees too."""


def decided_pairs(con: duckdb.DuckDBPyConnection, model: Model) -> pa.Table:
    """The pairs of which a decision stands, shape DECIDED_PAIRS.

    The weight is that of the store where it is kept there, as who else shares a mailbox counts.
    """
    if not con.execute("select 1 from decided limit 1").fetchall():
        return DECIDED_PAIRS.empty_table()
    levels_of(con, "decided", "decided_levels")
    return con.execute(f"""
        with weighed as (
            select levels.a, levels.b, {STRATUM} as stratum,
                coalesce(pairs.weight, {model.weight_sql}) as weight,
                {model.contradicts_sql} as is_vetoed
            from decided_levels as levels left join (select a, b, weight from pairs) as pairs using (a, b)
        )
        select l.source_system, l.source_key, r.source_system, r.source_key, stratum, weight,
            weight >= {number(model.link)} and not is_vetoed, is_link
        from weighed join decided using (a, b)
        join records as l on a = l.record join records as r on b = r.record
        order by 1, 2, 3, 4
    """).to_arrow_table().rename_columns(DECIDED_PAIRS.names).cast(DECIDED_PAIRS)  # fmt: skip


def sampled_links(model: Model) -> str:
    """SQL of links that stewards may be asked about, in the shape of a review: of each stratum a few.

    Which ones is as good as drawn, and the same as long as the links and decisions are.
    """
    return f"""
        with drawn as (
            select stratum,
                unnest(min_by({{'a': a, 'b': b, 'weight': weight}}, hash(a, b), {SAMPLED_LINKS}))
                as pair
            from (
                select a, b, weight, {STRATUM} as stratum
                from pairs anti join decided using (a, b)
                where weight >= {number(model.link)} and not is_vetoed
            )
            group by stratum
        )
        select l.source_system, l.source_key, r.source_system, r.source_key, pair.weight, 'sample',
            'linked; ' || stratum
        from drawn join map as l on pair.a = l.record join map as r on pair.b = r.record
    """
