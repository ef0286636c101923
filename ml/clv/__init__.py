"""Customer lifetime value: the net revenue of each customer in the next days.

Belongs here: the estimator, its backtest and training, its scoring. What several questions would
share (metrics, splits, gate, tracking) lives one level up.
"""
