"""The key of a run: what it reads, where it stands, and the code that computes it.

Equal keys mean equal published tables, so a run whose key is already published has nothing to do.
"""

from __future__ import annotations

import hashlib
from datetime import date

from orchestration.settings import PROJECT, HomeConfig, code_hash


def run_key(snapshot_id: str, as_of: date, config: HomeConfig) -> str:
    """Hash of snapshot, date, settings of the home, code of every room, and the pinned versions."""
    pins = (PROJECT / "constraints.txt").read_text("utf-8")
    settings = f"{config.business_timezone} {config.reporting_currency}"
    parts = "\n".join([snapshot_id, as_of.isoformat(), settings, code_hash(), pins])
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
