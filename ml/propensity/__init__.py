"""Propensity: the probability that a customer orders in the next days.

Belongs here: the estimator. What all questions share (training, backtest, scoring, metrics, splits,
gate, tracking) lives one level up.
"""
