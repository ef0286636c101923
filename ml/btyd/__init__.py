"""Buy till you die: when a customer orders again, whether ever, and what an order is worth.

Belongs here: two probability models of customers who buy at their own rhythm and leave without
saying so, fitted by maximum likelihood. Does not belong here: how orders are counted per customer
(dbt), backtests, and whether a forecast is served (`ml.gate`).

Both models have a few parameters and one closed form per customer, so a million customers are
fitted in seconds and the same data always give the same figures. Season, price and campaigns are
not in them.
"""
