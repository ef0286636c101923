"""Whom recordlinkage takes for one person, without labels: run by the peer's own Python.

    PEER/bin/python benchmarks/peers/link.py RECORDS.parquet LINKS.csv [FIELD...]

RECORDS has texts, NULL where missing; the columns of LIKE and EXACT are compared, where they say anything.
A pair is compared that shares any field, but those named. Written are the pairs it links, `a` and `b`, by
the rows' numbers. Belongs here: what a peer needs. Does not belong here: anything of this project, and any
truth.
"""

from __future__ import annotations

import sys

import pandas as pd
import recordlinkage  # type: ignore[import-not-found]

LIKE = ("first_name", "last_name", "address_line_1")
EXACT = ("birth_date", "city", "postal_code", "email", "device_key")
ALIKE = 0.85
"""Of the examples in its documentation."""


def linked(records: pd.DataFrame, unindexed: list[str]) -> pd.MultiIndex:
    """Pairs that share a field, told apart by ECM on what agrees; as its documentation has it."""
    index = recordlinkage.Index()
    compare = recordlinkage.Compare()
    for name in (one for one in (*LIKE, *EXACT) if records[one].notna().any()):
        if name not in unindexed:
            index.block(name)
        if name in LIKE:
            compare.string(name, name, method="jarowinkler", threshold=ALIKE, label=name)
        else:
            compare.exact(name, name, label=name)
    compared = compare.compute(index.index(records), records)
    links: pd.MultiIndex = recordlinkage.ECMClassifier().fit_predict(compared)
    return links


if __name__ == "__main__":
    links = linked(pd.read_parquet(sys.argv[1]), sys.argv[3:]).to_frame(index=False)
    links.columns = ["a", "b"]
    links.to_csv(sys.argv[2], index=False)
