"""Keys of a run, a training and a published copy: what they read, where they stand, what code computes.

Equal keys mean equal results: a run whose copy is already published has nothing to do, a training
whose key is in the register is not repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date

from orchestration.settings import PROJECT, HomeConfig, code_hash


def training_key(snapshot_id: str, dates: tuple[date, ...], config: HomeConfig) -> str:
    """Hash of what a training reads: snapshot, as-of dates, settings, code, pinned versions."""
    return _key(snapshot_id, *map(str, dates), *_rules(config))


def run_key(snapshot_id: str, as_of: date, config: HomeConfig) -> str:
    """Hash of snapshot, date, settings of the home, code of every room, and the pinned versions."""
    return _key(snapshot_id, as_of.isoformat(), *_rules(config))


def published_key(run: str, champions: Mapping[str, str]) -> str:
    """Hash of a run's key and of the champions that scored, which only its end knows.

    Args:
        run: The run's key.
        champions: Version of the champion by model.
    """
    return _key(run, *(f"{name} {champions[name]}" for name in sorted(champions)))


def _rules(config: HomeConfig) -> list[str]:
    pins = (PROJECT / "constraints.txt").read_text("utf-8")
    return [config.business_timezone, config.reporting_currency, code_hash(), pins]


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
