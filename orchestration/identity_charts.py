"""Pictures of identity: what agreement is worth, which pairs weigh how much, how large customers are.

Drawn without any state of their own: what every run shows as SVG, what a training keeps by matplotlib too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from orchestration.drawing import LogAxes, svg, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from identity.compare import Model
    from identity.resolve import Resolution

FOR, AGAINST = "#3f7d5a", "#a8483f"
REVIEWED, LINKED, STRICT = "#faf0c8", "#e4f1e9", "#c5e2d1"
MOST_RECORDS = 30
"""Records of a customer that are told apart; who has more is one bar."""


def pictures(resolution: Resolution, model: Model) -> dict[str, str]:
    """What a resolution by a model came to, as SVG by title."""
    return {
        "customers by records": customers_chart(resolution.sizes),
        "pairs by weight": pairs_chart(resolution.weights, model),
    }


def customers_chart(sizes: Mapping[int, int]) -> str:
    """How many customers have so many records."""
    counts: dict[int, int] = {}
    for records, customers in sizes.items():
        shown = min(records, MOST_RECORDS)
        counts[shown] = counts.get(shown, 0) + customers
    last = max(counts, default=1)
    axes = LogAxes(0.5, max(last, 10) + 0.5, max(counts.values(), default=1), top=30)
    foot, middle = axes.top + axes.height, axes.left + axes.width / 2
    parts = [axes.grid()]
    for records, customers in sorted(counts.items()):
        named = f"{records}+" if records == MOST_RECORDS else str(records)
        parts += [
            axes.bar(records - 0.4, records + 0.4, customers, FOR),
            word(axes.x(records), foot + 16, named),
        ]
    told = f"{sum(sizes.values()):,} customers by their records, {max(sizes, default=0):,} at most"
    parts += [word(axes.left, 18, told, "start"), word(middle, foot + 34, "records of a customer")]
    return svg(axes.left + axes.width + 20, foot + 44, parts)


def pairs_chart(weights: Mapping[tuple[int, bool], int], model: Model) -> str:
    """The pairs of a store by weight, bit by bit, with what becomes of them.

    Beside those that may be one person stand those that contradict each other, which no weight links.
    """
    bits = [bit for bit, _ in weights]
    first = min([*bits, math.floor(model.review) - 1])
    last = max([bit + 1 for bit in bits] + [math.ceil(model.strict) + 1])
    axes = LogAxes(first, last, max(weights.values(), default=1))
    foot, middle = axes.top + axes.height, axes.left + axes.width / 2
    parts = [
        axes.band(model.review, model.link, REVIEWED),
        axes.band(model.link, model.strict, LINKED),
        axes.band(model.strict, last, STRICT),
        axes.grid(),
    ]
    for (bit, contradicts), count in sorted(weights.items()):
        start, colour = (bit + 0.5, AGAINST) if contradicts else (bit + 0.1, FOR)
        parts.append(axes.bar(start, start + 0.4, count, colour))
    for name, bound, above, anchor in (
        ("review", model.review, 6, "end"),
        ("link", model.link, 22, "start"),
        ("strict", model.strict, 6, "start"),
    ):
        beside = 4 if anchor == "start" else -4
        told = word(axes.x(bound) + beside, axes.top - above + 4, f"{name} {bound:+.1f}", anchor)
        parts += [axes.mark(bound, above), told]
    step = 5 if last - first <= 50 else 10
    for bit in range(math.ceil(first / step) * step, last + 1, step):
        parts.append(word(axes.x(bit), foot + 16, f"{bit:+d}" if bit else "0"))
    legend = (
        f'<tspan fill="{FOR}">■</tspan> may be one person  '
        f'<tspan fill="{AGAINST}">■</tspan> contradict each other'
    )
    parts += [
        word(axes.left, 18, f"{sum(weights.values()):,} pairs kept, by their weight", "start"),
        f'<text x="{axes.left + axes.width}" y="18" text-anchor="end">{legend}</text>',
        word(
            middle, foot + 34, "bits for one person; below review only what shares a value is kept"
        ),
    ]
    return svg(axes.left + axes.width + 20, foot + 44, parts)


def weights_chart(model: Model) -> Figure:
    """What each level of agreement adds to the weight of a pair, in bits."""
    from matplotlib.figure import Figure

    told = [
        (level, bits) for levels in model.weights.values() for level, bits in levels.items() if bits
    ]
    figure = Figure(figsize=(8, 0.3 * len(told) + 1), layout="constrained")
    axes = figure.subplots()
    names, bits = zip(*told[::-1], strict=True) if told else ((), ())
    axes.barh(names, bits, color=[FOR if one > 0 else AGAINST for one in bits])
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.set_xlabel("bits for (right) or against (left) one person")
    axes.set_title(
        f"{model.version}: two records at random {model.prior:+.1f}, links from {model.link:+.1f}"
    )
    return figure
