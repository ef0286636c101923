"""Predictions about customers: what they will spend, and how far the answer can be trusted.

Belongs here: frames read from the warehouse, time splits, baselines, evaluation, the gate that
decides a promotion, tracking, and one folder per question (`clv`). Does not belong here: how
features are computed (dbt), when a model is trained (orchestration), where its tables are written.
"""
