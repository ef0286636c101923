"""What customers will spend: how often they order again, times what an order is worth.

Belongs here: the product of the two models. Does not belong here: either of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ml.btyd.bg_nbd import BetaGeoNBD
    from ml.btyd.gamma_gamma import GammaGamma


def predict_spend(
    orders: BetaGeoNBD,
    values: GammaGamma,
    histories: pd.DataFrame | np.ndarray,
    spends: pd.DataFrame | np.ndarray,
    duration: float,
) -> np.ndarray:
    """Expect this spend of each customer in the next `duration`, shape (n,).

    The product of both expectations, as how often somebody orders and what an order is worth are
    independent in the two models (Fader, Hardie and Lee, 2005, "RFM and CLV"). Nothing is
    discounted.

    Args:
        orders: Fitted model of orders.
        values: Fitted model of order values.
        histories: Columns `frequency`, `recency`, `age`, shape (n, 3).
        spends: Columns `orders` and `mean_order_value` of the same customers, shape (n, 2).
        duration: Time ahead, in the unit of the histories.
    """
    spend: np.ndarray = orders.predict_orders(histories, duration) * values.predict(spends)
    return spend
