"""What is sold, where, and at what price and cost.

Belongs here: products, their prices over time, stores. Does not belong here: who buys what.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retailer.days import BEFORE, Days
from retailer.randomness import Array, Choice, stream
from retailer.vocabulary import COUNTRIES, rank_weights

DEPARTMENTS = {
    "Meubles": (("Canapés", "Tables", "Chaises", "Lits", "Rangements"), 62, 0.52),
    "Décoration": (("Luminaires", "Tapis", "Miroirs", "Textiles", "Bougies"), 13, 0.38),
    "Jardin": (("Salons de jardin", "Outils", "Plantes", "Barbecues", "Arrosage"), 20, 0.5),
    "Bricolage": (("Outillage", "Peinture", "Quincaillerie", "Électricité"), 11, 0.58),
    "Cuisine": (("Ustensiles", "Vaisselle", "Petit électroménager", "Bocaux"), 11, 0.47),
    "Sport": (("Vélo", "Course", "Fitness", "Natation", "Raquettes"), 17, 0.55),
    "Plein air": (("Randonnée", "Camping", "Escalade", "Pêche"), 21, 0.53),
    "Jeux": (("Jeux de société", "Jouets", "Puzzles", "Jeux de plein air"), 10, 0.6),
}
"""Departments with their categories, the price in the middle (euros) and what of it is cost."""
WORDS = (
    "Alizé", "Boréal", "Cormoran", "Delta", "Écume", "Falaise", "Galet", "Horizon", "Iroise",
    "Jonquille", "Kestrel", "Lagune", "Mistral", "Nacre", "Océane", "Pinède", "Quartz", "Rivage",
    "Sirocco", "Tramontane", "Ulysse", "Vallon", "Zéphyr",
)  # fmt: skip
BRANDS = (
    "Maison Aubier", "Clairbois", "Terre & Cie", "Novalis", "Atelier Nord", "Kalyps", "Montagnac",
    "Brisa", "Ferronnerie B", "Lumen", "Casa Sol", "Petit Prix", "Rando+", "Vélocio", "Aqualine",
    "Ludomia",
)  # fmt: skip
PRODUCTS = 4_000
STORES = 60
PRICE_SPREAD = 0.6
"""Standard deviation of the logarithm of a price within its department."""
PRICE_RISE = 0.024
"""By how much prices rise in a year."""
PRICE_STEP = 91
"""Days between two prices of a product."""
POOR = 0.08
"""Share of products that disappoint more often than the others."""
ENTRY_DROPOUT = (0.9, 1.0, 0.75, 1.0, 1.0, 1.15, 1.0, 1.5)
"""By what the department of the first purchase multiplies the probability to leave."""


@dataclass(frozen=True)
class Catalogue:
    """Products and stores, the same for everybody.

    Attributes:
        department, category, brand: number of each, by product.
        price: in cents at day 0, all taxes included.
        cost: in cents.
        is_poor: whether it disappoints more often.
        store_city: number of the French city of each store.
        store_near: store of each French city, or one of its region.
    """

    department: Array
    category: Array
    brand: Array
    price: Array
    cost: Array
    is_poor: Array
    name: tuple[str, ...]
    store_city: Array
    store_near: Array

    @cached_property
    def of_department(self) -> list[tuple[Array, Choice]]:
        """Products of each department, and how to draw one by how popular it is."""
        found = []
        for number in range(len(DEPARTMENTS)):
            products = np.flatnonzero(self.department == number)
            found.append((products, Choice(rank_weights(len(products), 0.7))))
        return found

    def draw(self, rng: np.random.Generator, departments: Array) -> Array:
        """A product for each of these departments."""
        products = np.empty(len(departments), np.int64)
        for number, (members, choice) in enumerate(self.of_department):
            chosen = np.flatnonzero(departments == number)
            products[chosen] = members[choice.draw(rng, len(chosen))]
        return products

    def price_at(self, products: Array, days: Array) -> Array:
        """Cents that a product costs on a day, before any discount; a new price each quarter."""
        quarters = np.arange(-BEFORE // PRICE_STEP, 40)
        rises = (1 + PRICE_RISE) ** (quarters * PRICE_STEP / 365)
        quarter = days.astype(np.int64) // PRICE_STEP - quarters[0]
        return np.round(self.price[products] * rises[quarter] / 10) * 10 - 1


def make_catalogue(seed: int) -> Catalogue:
    """The catalogue of a seed."""
    rng = stream(seed, "catalogue")
    department = np.sort(rng.integers(0, len(DEPARTMENTS), PRODUCTS))
    kinds = list(DEPARTMENTS.values())
    categories = np.array([len(kind[0]) for kind in kinds])[department]
    middle = np.array([kind[1] for kind in kinds])[department]
    share = np.array([kind[2] for kind in kinds])[department]
    price = np.maximum(middle * np.exp(rng.normal(0, PRICE_SPREAD, PRODUCTS)), 1.5)
    cents = np.round(price * 10) * 10 - 1
    category = rng.integers(0, categories)
    names = tuple(
        f"{kinds[d][0][c]} {WORDS[w]} {number}"
        for d, c, w, number in zip(
            department,
            category,
            rng.integers(0, len(WORDS), PRODUCTS),
            range(PRODUCTS),
            strict=True,
        )
    )
    return Catalogue(
        department=department,
        category=category,
        brand=rng.choice(len(BRANDS), PRODUCTS, p=rank_weights(len(BRANDS), 0.6)),
        price=cents,
        cost=np.round(cents / 1.2 * share * rng.uniform(0.9, 1.1, PRODUCTS)),
        is_poor=rng.random(PRODUCTS) < POOR,
        name=names,
        store_city=np.arange(STORES),
        store_near=_near(),
    )


def _near() -> Array:
    """The store of each French city: its own, one of its region, or the first."""
    cities = COUNTRIES[0].cities
    of_region: dict[str, list[int]] = {}
    for store in range(STORES):
        of_region.setdefault(cities[store].region, []).append(store)
    near = np.zeros(max(len(land.cities) for land in COUNTRIES), np.int64)
    for number, city in enumerate(cities):
        stores = of_region.get(city.region, [0])
        near[number] = number if number < STORES else stores[number % len(stores)]
    return near


def price_history(catalogue: Catalogue, days: Days) -> dict[str, Array]:
    """Every price of every product, by the day from which it holds.

    Returns:
        `product`, `day`, `price` and `cost` in cents; one row per product and quarter.
    """
    starts = np.arange(0, days.horizon, PRICE_STEP)
    product = np.repeat(np.arange(PRODUCTS), len(starts))
    day = np.tile(starts, PRODUCTS)
    price = catalogue.price_at(product, day)
    return {"product": product, "day": day, "price": price, "cost": catalogue.cost[product]}
