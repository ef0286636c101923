"""Pictures of identity: what agreement is worth. Drawn without any state of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from identity.compare import Model


def weights_chart(model: Model) -> Figure:
    """What each level of agreement adds to the weight of a pair, in bits."""
    from matplotlib.figure import Figure

    told = [
        (level, bits) for levels in model.weights.values() for level, bits in levels.items() if bits
    ]
    figure = Figure(figsize=(8, 0.3 * len(told) + 1), layout="constrained")
    axes = figure.subplots()
    names, bits = zip(*told[::-1], strict=True) if told else ((), ())
    axes.barh(names, bits, color=["#3f7d5a" if one > 0 else "#a8483f" for one in bits])
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.set_xlabel("bits for (right) or against (left) one person")
    axes.set_title(
        f"{model.version}: two records at random {model.prior:+.1f}, links from {model.link:+.1f}"
    )
    return figure
