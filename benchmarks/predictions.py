"""How good the predictions are, beside what public libraries make of the same rows.

    python -m benchmarks.predictions --peers-python PEERS/bin/python --cj-home HOME --or-home HOME

The peers have an environment of their own, `benchmarks/peers/requirements.txt`; they are LightGBM,
untuned and with three times our steps of boosting, and lifetimes. `--case WORD` takes the cases whose
name has the word. `--final` makes the last test, on a window that nothing was developed on, and nothing
else: do it once.

Differences are ours minus theirs, with 95 % intervals from a bootstrap over customers. Each row ends
with whether it meets its bar:

- rank: the interval of ngini against LightGBM is not wholly below 0, and ngini is above lifetimes';
- level: the interval of the bias meets .95 to 1.05, or the bias is no further from 1 than LightGBM's
  where customers have changed; the interval of the decile error is not wholly above 0;
- probability: the interval of AUC is not wholly below 0, those of logloss and calibration error are
  not wholly above 0, and logloss is lower in most cases;
- intervals: of 80 %, per fifth of the customers by the probability of an order, the share of buyers
  inside includes .80 and the share of all is not below .80, both with a binomial interval of 95 %
  over the five of them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import beta

from benchmarks.cases import RAW, Case, add_arguments, chosen, folds, homes, warehouses
from benchmarks.contestants import Said, ours, theirs
from benchmarks.tables import show, told, verdict
from benchmarks.warehouse import Rows
from ml.evaluation import (
    Gain,
    auc,
    bias_interval,
    bias_rate,
    calibration_error,
    decile_error_rate,
    logloss,
    ngini,
    paired_gain,
    weighted_calibration_error,
    weighted_decile_error,
    weighted_logloss,
    weighted_ngini,
)

DRAWS = 500
FIFTHS = 5
COVERAGE = 0.80
CHANCE = 0.05
LEVEL = (0.95, 1.05)


@dataclass(frozen=True)
class Match:
    """What both said of a case, and what came."""

    case: Case
    actual: Rows
    ours: Said
    theirs: Said


def play(case: Case, folder: Path, python: Path) -> Match:
    """Have both forecast a case."""
    parts = list(folds(case, folder))
    with tempfile.TemporaryDirectory() as scratch:
        peers = theirs(parts, case.horizon_days, python, Path(scratch))
    return Match(case, parts[0].today, ours(parts, case.horizon_days), peers)


def rank(match: Match) -> list[str]:
    """Compare the ranking by value."""
    actual, mine = match.actual.amounts, match.ours.forecasts["predicted"]
    forecasts = match.theirs.forecasts
    gain = paired_gain(weighted_ngini, actual, mine, forecasts["tweedie"], draws=DRAWS)
    row = [match.case.name, f"{len(actual):,}", f"{ngini(actual, mine):.3f}"]
    row += [f"{ngini(actual, forecasts['tweedie']):.3f}", told(gain)]
    if "lifetimes" not in forecasts:
        return [*row, "-", match.theirs.failed["lifetimes"], verdict(gain.high >= 0)]
    over = paired_gain(weighted_ngini, actual, mine, forecasts["lifetimes"], draws=DRAWS)
    row += [f"{ngini(actual, forecasts['lifetimes']):.3f}", told(over)]
    return [*row, verdict(gain.high >= 0 and over.value > 0)]


def bias(match: Match) -> list[str]:
    """Compare the level of value in all."""
    actual, mine = match.actual.amounts, match.ours.forecasts["predicted"]
    low, high = bias_interval(actual, mine, draws=DRAWS)
    mine_rate = bias_rate(actual, mine)
    peer_rate = bias_rate(actual, match.theirs.forecasts["tweedie"])
    judged = {
        "within": verdict(low <= LEVEL[1] and high >= LEVEL[0]),
        "peer": verdict(abs(np.log(mine_rate)) <= abs(np.log(peer_rate))),
    }.get(match.case.level, "no bar")
    figures = [f"{mine_rate:.3f}", f"[{low:.3f}, {high:.3f}]", f"{peer_rate:.3f}"]
    return [match.case.name, *figures, judged]


def deciles(match: Match) -> list[str]:
    """Compare the level of value in each tenth."""
    actual, mine = match.actual.amounts, match.ours.forecasts["predicted"]
    peer = match.theirs.forecasts["tweedie"]
    gain = paired_gain(weighted_decile_error, actual, mine, peer, draws=DRAWS)
    errors = [f"{decile_error_rate(actual, each):.3f}" for each in (mine, peer)]
    return [match.case.name, *errors, told(gain), verdict(gain.low <= 0)]


def probability(match: Match) -> list[str]:
    """Compare the probability of any order."""
    actual, mine = match.actual.is_ordering, match.ours.forecasts["any_order"]
    peer = match.theirs.forecasts["any_order"]
    # The area under the curve is half of ngini and a half when what came is 0 or 1.
    ranks = paired_gain(weighted_ngini, actual, mine, peer, draws=DRAWS)
    ranks = Gain(ranks.value / 2, ranks.low / 2, ranks.high / 2)
    losses = paired_gain(weighted_logloss, actual, mine, peer, draws=DRAWS)
    errors = paired_gain(weighted_calibration_error, actual, mine, peer, draws=DRAWS)
    row = [match.case.name]
    for metric, gain in ((auc, ranks), (logloss, losses), (calibration_error, errors)):
        row += [f"{metric(actual, mine):.4f}", f"{metric(actual, peer):.4f}", told(gain, 4)]
    return [*row, verdict(ranks.high >= 0 and losses.low <= 0 and errors.low <= 0)]


def intervals(match: Match) -> Iterator[list[str]]:
    """Hold the 80 % intervals against what came, per fifth by our probability, highest first."""
    mine, peer, amounts = match.ours.forecasts, match.theirs.forecasts, match.actual.amounts
    for number, fifth in enumerate(_fifths(mine["any_order_probability"]), start=1):
        buyers = fifth[amounts[fifth] > 0]
        inside = _inside(mine, "if_any_", buyers, amounts)
        low, high = binomial_interval(int(inside.sum()), len(buyers))
        overall = _inside(mine, "", fifth, amounts)
        overall_low, overall_high = binomial_interval(int(overall.sum()), len(fifth))
        at_zero = (mine["high"][fifth] == 0).mean()
        yield [
            match.case.name, str(number), f"{len(buyers):,}",
            f"{inside.mean() if len(buyers) else np.nan:.3f} [{low:.3f}, {high:.3f}]",
            _widths(mine, peer, "if_any_", buyers),
            verdict(low <= COVERAGE <= high),
            f"{overall.mean():.3f} [{overall_low:.3f}, {overall_high:.3f}]",
            f"{_inside(peer, '', fifth, amounts).mean():.3f}",
            f"{at_zero:.3f}", _widths(mine, peer, "", fifth),
            verdict(overall_high >= COVERAGE),
        ]  # fmt: skip


def binomial_interval(inside: int, count: int) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share, 95 % for all fifths together."""
    side = CHANCE / FIFTHS / 2
    low = beta.ppf(side, inside, count - inside + 1) if inside else 0.0
    high = beta.ppf(1 - side, inside + 1, count - inside) if inside < count else 1.0
    return float(low), float(high)


def seconds(match: Match) -> list[str]:
    """Say what fitting and forecasting took."""
    mine, peers = match.ours.cpu_seconds, match.theirs.cpu_seconds
    names = ("value", "probability"), ("tweedie", "quantile", "binary", "lifetimes")
    figures = [mine[name] for name in names[0]] + [peers[name] for name in names[1]]
    return [match.case.name, *(f"{figure:.1f}" for figure in figures)]


def _fifths(probability: np.ndarray) -> list[np.ndarray]:
    """Give the rows of each fifth, highest probability first."""
    return np.array_split(np.argsort(-probability, kind="stable"), FIFTHS)


def _inside(
    said: dict[str, np.ndarray], kind: str, rows: np.ndarray, amounts: np.ndarray
) -> np.ndarray:
    low, high = said[f"{kind}low"][rows], said[f"{kind}high"][rows]
    inside: np.ndarray = (low <= amounts[rows]) & (amounts[rows] <= high)
    return inside


def _widths(
    mine: dict[str, np.ndarray], peer: dict[str, np.ndarray], kind: str, rows: np.ndarray
) -> str:
    """Mean width of our intervals and of the peer's."""
    widths = [(said[f"{kind}high"] - said[f"{kind}low"])[rows] for said in (mine, peer)]
    return " / ".join(f"{width.mean() if len(rows) else np.nan:,.1f}" for width in widths)


def report(matches: list[Match]) -> None:
    """Print every table."""
    show(
        "Value, rank: ngini",
        "case  customers  ours  LightGBM  ours - LightGBM  lifetimes  ours - lifetimes  bar",
        [rank(match) for match in matches],
    )
    show(
        "Value, level: forecast over actual",
        "case  ours  interval  LightGBM  bar",
        [bias(match) for match in matches],
    )
    show(
        "Value, level: decile error",
        "case  ours  LightGBM  ours - LightGBM  bar",
        [deciles(match) for match in matches],
    )
    show(
        "Probability of any order",
        "case  AUC  LightGBM  ours - LightGBM  logloss  LightGBM  ours - LightGBM  ECE  LightGBM  "
        "ours - LightGBM  bar",
        [probability(match) for match in matches],
    )
    _majority(matches)
    show(
        "80 % intervals of value, by fifth of the probability of an order (width: ours / LightGBM)",
        "case  fifth  buyers  buyers inside  width  bar  all inside  LightGBM  only zero  width  bar",
        [row for match in matches for row in intervals(match)],
    )
    show(
        "CPU seconds",
        "case  value  probability  Tweedie  quantiles  binary  lifetimes",
        [seconds(match) for match in matches],
    )


def _majority(matches: list[Match]) -> None:
    lower = sum(
        logloss(match.actual.is_ordering, match.ours.forecasts["any_order"])
        < logloss(match.actual.is_ordering, match.theirs.forecasts["any_order"])
        for match in matches
    )
    print(f"logloss lower in {lower} of {len(matches)}: {verdict(lower > len(matches) / 2)}")


def main() -> None:
    """Make the warehouses, ask everybody, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("--peers-python", type=Path, required=True)
    parser.add_argument("--folder", type=Path, help="where features are made, to keep them")
    add_arguments(parser)
    arguments = parser.parse_args()
    cases = chosen(arguments.case, is_final=arguments.final)
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        warehouses(cases, folder, homes(arguments))
        matches = [play(case, folder, arguments.peers_python.absolute()) for case in cases]
    versions = matches[0].theirs.versions
    print("peers: " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    report(matches)


if __name__ == "__main__":
    main()
