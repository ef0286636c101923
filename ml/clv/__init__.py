"""Customer lifetime value: the net revenue, or the orders, of each customer in the next days.

Belongs here: the estimator. What all questions share (training, backtest, scoring, metrics, splits,
gate, tracking) lives one level up.
"""
