"""Worlds: what holds in a variant of the retailer, so that a warehouse that always finds something errs.

Belongs here: which parts of the model a world switches. Does not belong here: their sizes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class World:
    """A variant of the retailer.

    Attributes:
        name: as it is asked for.
        about: one line.
        has_season: the year, the week and the sales change how much is bought.
        has_incidents: deliveries come late, products and calls disappoint.
        has_campaigns: messages of campaigns are sent.
        has_effects: campaigns and paid media change what people do.
        is_mixed: sources, entry products and prices change how people buy, besides their own rates.
        is_heavy_tailed: rates are not gamma, and baskets have heavy tails.
        is_anonymous: nobody is known by any key of a person.
        is_one_channel: everything is bought in the web shop.
    """

    name: str
    about: str
    has_season: bool = True
    has_incidents: bool = True
    has_campaigns: bool = True
    has_effects: bool = True
    is_mixed: bool = True
    is_heavy_tailed: bool = False
    is_anonymous: bool = False
    is_one_channel: bool = False


WORLDS = {
    world.name: world
    for world in (
        World("base", "everything the model holds"),
        World(
            "plain",
            "rates and dropout alone: no season, incidents, campaigns or differing sources",
            has_season=False,
            has_incidents=False,
            has_campaigns=False,
            has_effects=False,
            is_mixed=False,
        ),
        World("no_effect", "campaigns and paid media change nothing", has_effects=False),
        World("no_season", "every day is like every other", has_season=False),
        World("heavy_tails", "rates not gamma, baskets heavy-tailed", is_heavy_tailed=True),
        World("anonymous", "nobody leaves a name, a card or an account", is_anonymous=True),
        World("one_channel", "everything is bought in the web shop", is_one_channel=True),
    )
}
