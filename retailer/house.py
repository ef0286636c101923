"""What the house itself delivers, once for all people: catalogue, stores, campaigns, media, places.

Belongs here: feeds that do not grow with the people. Does not belong here: those that do
(`deliveries`).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retailer import campaigns as c
from retailer.catalogue import BRANDS, DEPARTMENTS, STORES, Catalogue, price_history
from retailer.columns import cents, dates, instants, named, numbered, whole, words
from retailer.days import Days
from retailer.deliveries import Feed
from retailer.media import names, report
from retailer.people import THEMES
from retailer.randomness import Array
from retailer.vocabulary import COUNTRIES
from retailer.worlds import World

AGENT_MONTH_CENTS = 260_000
CENTS_OF = dict(zip(c.CHANNELS, c.COST_CENTS, strict=True))


PRODUCTS = Feed("catalogue", "articles", "xlsx")
PRICES = Feed("catalogue", "prix", "csv", ";", "latin-1", "french", has_decimal_comma=True)
PLACES = Feed("catalogue", "magasins", "csv", ";", "latin-1")
CAMPAIGNS = Feed("messaging", "campaigns")
SPEND = Feed("ads", "spend")
AREAS = Feed("places", "communes", "parquet")
COSTS = Feed("crm", "couts_canaux", "csv", ";", "latin-1", "french", has_decimal_comma=True)


def tables(
    seed: int, catalogue: Catalogue, days: Days, world: World, visits: Array, arrivals: Array
) -> dict[Feed, pa.Table]:
    """Everything the house delivers.

    Args:
        seed: of everything.
        catalogue: what is sold.
        days: the calendar.
        world: what holds.
        visits: paid visits by source and day of history.
        arrivals: people who came by source and day of history.
    """
    return {
        PRODUCTS: _products(catalogue),
        PRICES: _prices(catalogue, days),
        PLACES: _stores(catalogue),
        CAMPAIGNS: _campaigns(days, world),
        SPEND: _spend(report(seed, days, visits, arrivals), days),
        AREAS: _areas(),
        COSTS: _costs(days),
    }


def _products(catalogue: Catalogue) -> pa.Table:
    kinds = list(DEPARTMENTS.items())
    categories = [
        kinds[d][1][0][n] for d, n in zip(catalogue.department, catalogue.category, strict=True)
    ]
    return pa.table({
        "sku": numbered("P", np.arange(len(catalogue.price))),
        "libelle": words(np.array(catalogue.name, object)),
        "marque": named(catalogue.brand, BRANDS),
        "rayon": named(catalogue.department, [name for name, _ in kinds]),
        "categorie": words(np.array(categories, object)),
        "prix_ttc": cents(catalogue.price),
        "cout_ht": cents(catalogue.cost),
    })  # fmt: skip


def _prices(catalogue: Catalogue, days: Days) -> pa.Table:
    found = price_history(catalogue, days)
    return pa.table({
        "sku": numbered("P", found["product"]),
        "depuis": dates(days, found["day"].astype(float)),
        "prix_ttc": cents(found["price"]),
        "cout_ht": cents(found["cost"]),
    })  # fmt: skip


def _stores(catalogue: Catalogue) -> pa.Table:
    cities = [COUNTRIES[0].cities[place] for place in catalogue.store_city]
    return pa.table({
        "magasin": numbered("MAG", np.arange(STORES)),
        "nom": words(np.array([f"{city.name} {n + 1}" for n, city in enumerate(cities)], object)),
        "code_postal": words(np.array([city.postal_code for city in cities], object)),
        "region": words(np.array([city.region for city in cities], object)),
    })  # fmt: skip


def _campaigns(days: Days, world: World) -> pa.Table:
    waves = [c.Wave(n) for n in range(days.horizon // c.EVERY + 1)] if world.has_campaigns else []
    waves = [wave for wave in waves if wave.start < days.horizon]
    starts = np.array([wave.start for wave in waves], float)
    number = np.array([wave.number for wave in waves], np.int64)
    theme, channel = (
        np.array([getattr(w, name) for w in waves], np.int64) for name in ("theme", "channel")
    )
    name = [f"{c.CHANNELS[wave.channel]} {THEMES[wave.theme]} {wave.number}" for wave in waves]
    return pa.table({
        "campaign": numbered("CMP", number),
        "name": words(np.array(name, object)),
        "channel": named(channel, c.CHANNELS),
        "theme": named(theme, THEMES),
        "starts_on": dates(days, starts),
        "ends_on": dates(days, starts + c.WINDOW - 1),
        "coupon": numbered("CP", np.where(number % 2 == 0, number, -1)),
    })  # fmt: skip


def _spend(found: dict[str, Array], days: Days) -> pa.Table:
    platform = names()
    campaign = [
        f"{platform[s]}-{n + 1}" for s, n in zip(found["source"], found["campaign"], strict=True)
    ]
    told = instants(days, found["day"] + 0.99)
    return pa.table({
        "_day": found["day"].astype(np.int32),
        "date": dates(days, found["day"].astype(float)),
        "platform": words(np.array([platform[s] for s in found["source"]], object)),
        "campaign": words(np.array(campaign, object)),
        "impressions": whole(found["impressions"]),
        "clicks": whole(found["clicks"]),
        "spend": cents(found["spend"]),
        "conversions": pa.array(found["claimed"]),
        "currency": named(np.zeros(len(told), int), ("EUR",)),
        "updated_at": told,
    })  # fmt: skip


def _areas() -> pa.Table:
    cities = [(land.code, city) for land in COUNTRIES for city in land.cities]
    return pa.table(
        {
            "country_code": [code for code, _ in cities],
            "postal_code": [city.postal_code for _, city in cities],
            "city": [city.name for _, city in cities],
            "region": [city.region for _, city in cities],
            "income_index": [city.income_index for _, city in cities],
        }
    )


def _costs(days: Days) -> pa.Table:
    """What the house's own channels cost: each message, and the agents by the month."""
    begin, end = (dates(days, np.full(len(CENTS_OF) + 1, n)) for n in (0.0, days.horizon - 1.0))
    amounts = (*CENTS_OF.values(), AGENT_MONTH_CENTS)
    return pa.table({
        "canal": [*CENTS_OF, "phone"],
        "libelle": [*("message" for _ in CENTS_OF), "conseiller, par mois"],
        "debut": begin,
        "fin": end,
        "base": [*("unit" for _ in CENTS_OF), "period"],
        "cout": [f"{value / 100:.4f}".replace(".", ",") for value in amounts],
    })  # fmt: skip
