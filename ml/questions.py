"""What is asked of the future: a family of question and a horizon.

Belongs here: names, horizons and what counts as the answer. Does not belong here: how a question is
answered (a folder per family) and anything that takes long to import, since orchestration asks for
the questions before any room is started.
"""

from __future__ import annotations

from dataclasses import dataclass

TARGETS = {"clv": "net_revenue", "orders": "orders", "propensity": "any_order"}


@dataclass(frozen=True)
class Question:
    """One thing to predict for every customer.

    Attributes:
        family: `clv` (net revenue), `orders` (how many) or `propensity` (whether there is any).
        horizon_days: Length of the window `[as_of, as_of + horizon_days)`.
    """

    family: str
    horizon_days: int

    @property
    def name(self) -> str:
        """Name in the registry and in every table, `clv_90d`."""
        return f"{self.family}_{self.horizon_days}d"

    @property
    def target(self) -> str:
        """What the answer is: `net_revenue`, `orders` or `any_order`."""
        return TARGETS[self.family]

    @property
    def is_probability(self) -> bool:
        """Whether the answer lies between 0 and 1."""
        return self.family == "propensity"


QUESTIONS = (
    Question("clv", 30),
    Question("clv", 90),
    Question("clv", 365),
    Question("propensity", 30),
    Question("propensity", 90),
    Question("orders", 90),
)
BY_NAME = {question.name: question for question in QUESTIONS}
HORIZONS = tuple(sorted({question.horizon_days for question in QUESTIONS}))
