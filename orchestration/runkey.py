"""Keys of a run, a training and a published copy: what they read, where they stand, what code computes.

Equal keys mean equal results: a run whose copy is already published has nothing to do. When a
training is repeated is said in `retraining`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date

from intake.lake import Lake
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


def models_asked(home: Home, config: HomeConfig) -> dict[str, str]:
    """Version by model of all that a run would decide by: the champions, and what resolves records."""
    promoted = [one.record_id for one in home.lake.live("identity_model")]
    return champions_asked(home, config) | _identity(promoted)


def model_that_resolved(lake: Lake) -> dict[str, str]:
    """Version of the model that was promoted when the live map was made; none before any."""
    return _identity([one.details.get("model", "") for one in lake.live("customer_map")])


def _identity(versions: list[str]) -> dict[str, str]:
    return {"identity": versions[-1]} if any(versions) else {}


def published_key(run: str, models: Mapping[str, str]) -> str:
    """Hash of a run's key and of the models that decided, which only its end knows.

    Args:
        run: The run's key.
        models: Version by model.
    """
    return _key(run, *(f"{name} {models[name]}" for name in sorted(models)))


def _rules(config: HomeConfig) -> list[str]:
    pins = (PROJECT / "constraints.txt").read_text("utf-8")
    return [config.business_timezone, config.reporting_currency, code_hash(), pins]


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
