"""Keys of a run, a training and a published copy: what they read, where they stand, what code computes.

Equal keys mean equal results: a run whose copy is already published has nothing to do. When a
training is repeated is said in `retraining`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date

from orchestration.settings import PROJECT, Home, HomeConfig, code_hash


def training_rules(config: HomeConfig) -> str:
    """Hash of what a training goes by besides the data: settings, code, pinned versions."""
    return _key(*_rules(config))


def run_key(snapshot_id: str, as_of: date, config: HomeConfig) -> str:
    """Hash of snapshot, date, settings of the home, code of every room, and the pinned versions."""
    asked = " ".join(question.name for question in config.questions)
    return _key(snapshot_id, as_of.isoformat(), asked, *_rules(config))


def champions_asked(home: Home, config: HomeConfig) -> dict[str, str]:
    """Version of the champion by question that is asked of the home."""
    from ml.tracking import champions

    found = champions(home.mlflow)
    return {q.name: found[q.name] for q in config.questions if q.name in found}


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
