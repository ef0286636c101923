"""Keys of a run and of a training: what they read, where they stand, the code that computes them.

Equal keys mean equal results: a run whose key is already published has nothing to do, a training
whose key is in the register is not repeated.
"""

from __future__ import annotations

import hashlib
from datetime import date

from orchestration.settings import PROJECT, HomeConfig, code_hash


def training_key(snapshot_id: str, dates: tuple[date, ...], config: HomeConfig) -> str:
    """Hash of what a training reads: snapshot, as-of dates, settings, code, pinned versions."""
    return _key(snapshot_id, *map(str, dates), *_rules(config))


def run_key(snapshot_id: str, as_of: date, config: HomeConfig) -> str:
    """Hash of snapshot, date, settings of the home, code of every room, and the pinned versions."""
    return _key(snapshot_id, as_of.isoformat(), *_rules(config))


def _rules(config: HomeConfig) -> list[str]:
    pins = (PROJECT / "constraints.txt").read_text("utf-8")
    return [config.business_timezone, config.reporting_currency, code_hash(), pins]


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
