"""`unicus train-identity`: how records agree, learned anew, as a plan and as what came of it.

Training stands apart from runs: a run resolves by the model that was promoted. Before a model is, all
records are resolved by it beside the home, and who would merge or part is counted. How weights are learned
is the business of `identity/train.py`.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from orchestration.console import aligned
from orchestration.identity_charts import pictures
from orchestration.identity_record import changed_share, counts_of, keep_model
from orchestration.settings import Home, SettingFault, require_home

if TYPE_CHECKING:
    import pyarrow as pa

    from identity.compare import Model
    from identity.resolve import Resolution
    from identity.train import Learned

SCHEMA = "unicus.train_identity/1"
MOST_CHANGED = 0.05
"""Share of records whose customer may change before somebody has to say that it may."""


@dataclass(frozen=True)
class Training:
    """A model that could be promoted, and what it would change.

    Attributes:
        home: whose records were learned from.
        learned: the new model, and how it was learned.
        before: version of the model that resolves now.
        basis: what it was learned from: the model before, and how far the log of events went.
        counts: records by what would become of them, and how many customers they would be.
        pictures: drawings of what would come of it, by title.
        most_changed: share of records whose customer may change.
    """

    home: Home
    learned: Learned
    before: str
    basis: tuple[str, int]
    counts: dict[str, int]
    pictures: dict[str, str]
    most_changed: float

    @property
    def model(self) -> Model:
        """The new model."""
        return self.learned.model

    @property
    def is_done(self) -> bool:
        """Whether nothing was learned that is not known."""
        return self.model.version == self.before

    @property
    def subject(self) -> str:
        """What an error about it names."""
        return str(self.home.root)

    @property
    def verb(self) -> str:
        """The command line that does it."""
        return f"unicus train-identity --home {shlex.quote(str(self.home.root))}"

    @property
    def changed_share(self) -> float:
        """Share of the records whose customer would change."""
        return changed_share(self.counts)


def plan_training(home: Home, most_changed: float = MOST_CHANGED) -> Training:
    """Learn a model from the records of the warehouse, by decisions of stewards where they teach.

    Raises:
        SettingFault: no home, no warehouse, or too few records to learn from.
    """
    require_home(home)
    import duckdb

    from identity.compare import RULES
    from identity.train import NotEnough
    from orchestration import identity_lake

    try:
        records, decisions = identity_lake.read_records(home), identity_lake.read_decisions(home)
    except (duckdb.Error, KeyError):
        raise SettingFault(
            "nothing-to-learn-from", str(home.root), "there are no records to learn from",
            where=str(home.warehouse), why="the home has no warehouse yet, or one of other code",
            fix=f"unicus run --home {shlex.quote(str(home.root))}",
        ) from None  # fmt: skip
    before = identity_lake.promoted_model(home.lake) or RULES
    logged = home.lake.live("identity_events")
    basis = (before.version, identity_lake.last_seq(logged))
    version = identity_lake.next_version(home.lake)
    try:
        learned = learn(records, decisions, version)
    except NotEnough as error:
        raise SettingFault(
            "nothing-to-learn-from", str(home.root), "too little is known to learn from",
            where=str(home.warehouse), why=str(error),
            fix="leave it to the rules until there are more records with an e-mail, number or address",
        ) from None  # fmt: skip
    done = _would_be(home, records, decisions, learned.model)
    counts, drawn = counts_of(done, records.num_rows), pictures(done, learned.model)
    return Training(home, learned, before.version, basis, counts, drawn, most_changed)


def learn(records: pa.Table, decisions: pa.Table, version: int) -> Learned:
    """Learn how records agree, by decisions of stewards where these teach more.

    Raises:
        NotEnough: too little is known to learn from.
    """
    from identity.train import NotEnough, train, train_with_labels

    learned = train(records, f"splink-{version}")
    try:
        model = train_with_labels(learned.model, records, decisions, f"labels-{version}")
    except NotEnough:
        return learned
    return replace(learned, model=model)


def _would_be(home: Home, records: pa.Table, decisions: pa.Table, model: Model) -> Resolution:
    """Resolve beside the home: what the customers would be."""
    from datetime import UTC, datetime

    from identity.resolve import resolve
    from orchestration import identity_lake

    logged = home.lake.live("identity_events")
    now = datetime.now(UTC).replace(tzinfo=None)
    seq = identity_lake.last_seq(logged)
    return resolve(
        records, decisions, model, now, lambda: identity_lake.read_events(home.lake, logged), seq
    )


def plan_again(change: Training) -> Training:
    """The same, learned anew if a run has changed what it was learned from."""
    from orchestration import identity_lake

    before = identity_lake.promoted_model(change.home.lake)
    logged = change.home.lake.live("identity_events")
    basis = (before.version if before else change.before, identity_lake.last_seq(logged))
    return change if basis == change.basis else plan_training(change.home, change.most_changed)


def carry_out(change: Training) -> Training:
    """Promote the model; only the holder of the home calls this.

    Raises:
        SettingFault: more records than may would change their customer.
    """
    if change.changed_share > change.most_changed:
        raise SettingFault(
            "too-much-would-change", change.subject,
            f"{change.changed_share:.1%} of the records would change their customer",
            where=change.model.version, why=f"more than {change.most_changed:.1%} is not promoted unasked",
            fix=f"look at  {change.verb} --dry-run  , then  {change.verb} --most-changed"
            f" {change.changed_share + 0.005:.2f}",
        )  # fmt: skip
    from orchestration import identity_lake

    identity_lake.promote(change.home.lake, change.model)
    keep_model(change.home, change.learned, change.before, change.counts, change.pictures)
    return change


def change_value(change: Training, status: str) -> dict[str, Any]:
    """The training as one JSON object; status is planned, done or nothing_new."""
    model = change.model
    return {
        "schema": SCHEMA, "status": status, "home": str(change.home.root), "before": change.before,
        "model": model.version, "kind": model.kind, "prior": model.prior, "weights": model.weights,
        "link": model.link, "strict": model.strict, "changed_share": change.changed_share,
        "would_be": change.counts, "next": f"unicus run --home {shlex.quote(str(change.home.root))}",
    }  # fmt: skip


def change_text(change: Training, status: str) -> str:
    """The training as a page: what each level is worth, and what would change."""
    model, counts = change.model, change.counts
    told = {"planned": "would be promoted", "done": "is promoted", "nothing_new": "stays"}[status]
    rows = [
        ("home", str(change.home.root)),
        ("model", f"{model.version}, after {change.before}: {told}"),
    ]
    worth = [("agreement", "bits")] + [
        (level, f"{bits:+.1f}")
        for levels in model.weights.values()
        for level, bits in levels.items()
    ]
    changes = [(kind, f"{count:,}") for kind, count in counts.items()]
    return "\n\n".join(
        [
            aligned(rows, indent=""),
            aligned([*worth, ("two records at random", f"{model.prior:+.1f}"),
                     ("links from", f"{model.link:+.1f}"), ("strict from", f"{model.strict:+.1f}")]),
            aligned([*changes, ("change their customer", f"{change.changed_share:.2%}")]),
        ]
    )  # fmt: skip
