"""What people are called and where they live, in France and six other countries.

Belongs here: the words (names, places, streets, mail domains, what a till types when it knows nothing)
and how often each one occurs. Does not belong here: drawing persons from them, and spoiling the result.

Every name and place is common knowledge or put together by rule; nobody in particular is meant. Mail
domains end in ``.example``, which the standards keep free, so that no real mailbox can be hit.
"""

# Greek letters that look like Latin ones are meant.
# ruff: noqa: RUF001

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class City:
    """A commune, or the part of a large one that has its own postal code."""

    name: str
    postal_code: str
    region: str
    weight: float
    """About how many people live there, in thousands."""
    income_index: float
    """Income of a household, where 1.0 is the average of the country; from 0.7 to 1.5."""


@dataclass(frozen=True)
class Country:
    """The words of one country; names stand most frequent first, cities most populous first."""

    code: str
    """ISO 3166, two letters."""
    language: str
    """ISO 639, two letters."""
    women: tuple[str, ...]
    men: tuple[str, ...]
    surnames: tuple[str, ...]
    latin: Mapping[str, str]
    """Each word of this country that is not in Latin script, in Latin script; empty elsewhere."""
    cities: tuple[City, ...]
    streets: tuple[str, ...]
    number_first: bool
    """'12 rue de la Paix' if true, 'Hauptstraße 12' if not."""
    calling_code: str
    mobile_prefixes: tuple[str, ...]
    """Digits that begin a mobile number, as dialled after the calling code."""
    landline_prefixes: tuple[str, ...]
    subscriber_digits: int
    """How many digits follow any of the prefixes."""
    mail_domains: tuple[str, ...]


def rank_weights(count: int, exponent: float = 0.8) -> NDArray[np.float64]:
    """Give the probability of each rank, falling as Zipf's law has it.

    Args:
        count: How many ranks there are.
        exponent: How steeply it falls; 0 makes all ranks alike.

    Returns:
        Shape (count,), most frequent first, summing to 1.
    """
    weights = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def _words(text: str) -> tuple[str, ...]:
    """Split at white space, each word once; an underscore stands for a space inside a word."""
    return tuple(dict.fromkeys(word.replace("_", " ") for word in text.split()))


def _pairs(text: str) -> dict[str, str]:
    """Read words of the form 'key:value'."""
    return dict(word.split(":", 1) for word in _words(text))


def _titled(text: str) -> Iterator[tuple[str, str]]:
    """Read 'title: entry, entry; title: entry' as pairs of title and entry; the title may lack."""
    for part in " ".join(text.split()).split("; "):
        title, _, entries = part.rpartition(": ")
        yield from ((title, entry) for entry in entries.split(", "))


def _surnames(text: str) -> tuple[str, ...]:
    """Read 'words; starts + ends': words as they are, and each start joined to each end."""
    names: list[str] = []
    for part in text.split(";"):
        starts, _, ends = part.partition("+")
        names += (start + end for end in _words(ends) or ("",) for start in _words(starts))
    return tuple(dict.fromkeys(names))


def _with_doubles(singles: tuple[str, ...]) -> tuple[str, ...]:
    """Put a pair of surnames after every second one, so that pairs are a third of all."""
    common = singles[:60]
    names: list[str] = []
    for at, name in enumerate(singles):
        names.append(name)
        if at % 2:
            names.append(f"{name} {common[(at * 7 + 3) % len(common)]}")
    return tuple(dict.fromkeys(names))


def _cities(text: str) -> tuple[City, ...]:
    """Read 'region: city, city; region: ...', each city as 'name code thousands income'."""
    found = []
    for region, entry in _titled(text):
        name, code, weight, income = entry.rsplit(maxsplit=3)
        found.append(City(name, code.replace("_", " "), region, float(weight), float(income)))
    return tuple(sorted(found, key=lambda city: -city.weight))


def _streets(text: str) -> tuple[str, ...]:
    """Read 'kind: name, name; kind: ...', where the kind comes before each name."""
    return tuple(dict.fromkeys(f"{kind} {name}".strip() for kind, name in _titled(text)))


_GREEK_LETTERS = str.maketrans(
    _pairs("""
    α:a β:v γ:g δ:d ε:e ζ:z η:i θ:th ι:i κ:k λ:l μ:m ν:n ξ:x ο:o π:p ρ:r σ:s ς:s τ:t υ:y φ:f χ:ch
    ψ:ps ω:o ϊ:i ϋ:y""")
)
_GREEK_PAIRS = {"ου": "ou", "γγ": "ng", "γξ": "nx", "γχ": "nch"}


def _romanised(text: str) -> str:
    """Write Greek in Latin letters, as Greek passports do (ELOT 743)."""
    bare = unicodedata.normalize("NFD", text.lower()).replace("\N{COMBINING ACUTE ACCENT}", "")
    word = unicodedata.normalize("NFC", bare)
    word = re.sub(r"\bμπ", "b", word)
    word = re.sub(r"([αεη])υ(?=[αεηιουωβγδζλμνρ])", r"\1v", word)
    word = re.sub(r"([αεη])υ", r"\1f", word)
    for pair, letters in _GREEK_PAIRS.items():
        word = word.replace(pair, letters)
    return word.translate(_GREEK_LETTERS).title()


SHORT_FORMS: Mapping[str, str] = _pairs("""
    Christophe:Chris Catherine:Cathy Stéphanie:Steph Nathalie:Nath Isabelle:Isa Véronique:Véro
    Valérie:Val Sandrine:Sandy Françoise:Fanfan Jacqueline:Jackie Virginie:Nini Caroline:Caro
    Delphine:Delf Dominique:Dom Danielle:Dany Mélanie:Mel Alexandra:Alex Geneviève:Gene
    Marie-Christine:Marie-Chris Florence:Flo Élisabeth:Babette Juliette:Juju Frédéric:Fred
    Sébastien:Seb Alexandre:Alex Philippe:Phil Nicolas:Nico Guillaume:Guigui Benjamin:Ben
    Mickaël:Micka Maxime:Max Laurent:Lolo Emmanuel:Manu Ludovic:Ludo Grégory:Greg Jonathan:Jo
    Raphaël:Raph Mathieu:Mat Stéphane:Steph Gabriel:Gab Thomas:Tom Mohamed:Momo Antoine:Toine
    Katharina:Kathi Susanne:Susi Gabriele:Gabi Stefanie:Steffi Franziska:Franzi Angelika:Geli
    Sebastian:Basti Matthias:Matze Wolfgang:Wolf Maximilian:Maxi Friedrich:Fritz Tobias:Tobi
    Elizabeth:Liz Margaret:Maggie Susan:Sue Patricia:Pat Deborah:Debbie Rebecca:Becky Jennifer:Jenny
    Robert:Bob William:Bill Richard:Rick Christopher:Chris Anthony:Tony Michael:Mike Stephen:Steve
    Andrew:Andy Matthew:Matt Joseph:Joe Samuel:Sam Edward:Ted Timothy:Tim Francisco:Paco José:Pepe
    Manuel:Manolo Ignacio:Nacho Concepción:Concha Josefa:Pepa María_Dolores:Lola Mercedes:Merche
    Montserrat:Montse Rosario:Charo Giuseppe:Beppe Francesco:Checco Salvatore:Totò Alessandro:Sandro
    Giuseppina:Pina Antonietta:Nietta Domenico:Mimmo Małgorzata:Gosia Katarzyna:Kasia Agnieszka:Aga
    Elżbieta:Ela Aleksandra:Ola Joanna:Asia Krzysztof:Krzysiek Tomasz:Tomek Stanisław:Staszek
    Jakub:Kuba Grzegorz:Grzesiek Wojciech:Wojtek Αικατερίνη:Κατερίνα Βασιλική:Βάσω Παναγιώτα:Γιώτα
    Ευαγγελία:Εύα Γεώργιος:Γιώργος Δημήτριος:Δημήτρης Κωνσταντίνος:Κώστας Ιωάννης:Γιάννης
    Νικόλαος:Νίκος Βασίλειος:Βασίλης Εμμανουήλ:Μανώλης Αθανάσιος:Θανάσης""")
"""What people called so are called by friends, and write into forms."""


def _country(
    *,
    women: str,
    men: str,
    surnames: str,
    cities: str,
    streets: str,
    code: str,
    language: str,
    number_first: bool,
    calling_code: str,
    mobile_prefixes: str,
    landline_prefixes: str,
    subscriber_digits: int,
    mail_domains: str,
    double_surnames: bool = False,
) -> Country:
    """Read the texts of a country, in the forms that the functions above tell."""
    families = _surnames(surnames)
    country = Country(
        code=code,
        language=language,
        women=_words(women),
        men=_words(men),
        surnames=_with_doubles(families) if double_surnames else families,
        latin={},
        cities=_cities(cities),
        streets=_streets(streets),
        number_first=number_first,
        calling_code=calling_code,
        mobile_prefixes=_words(mobile_prefixes),
        landline_prefixes=_words(landline_prefixes),
        subscriber_digits=subscriber_digits,
        mail_domains=_words(mail_domains),
    )
    return replace(country, latin=_latin(country)) if language == "el" else country


def _latin(country: Country) -> dict[str, str]:
    given = country.women + country.men
    short = [SHORT_FORMS[name] for name in given if name in SHORT_FORMS]
    places = chain.from_iterable((city.name, city.region) for city in country.cities)
    words = chain(given, short, country.surnames, country.streets, places)
    return {word: _romanised(word) for word in words}


FRANCE = _country(
    code="FR",
    language="fr",
    women="""
        Marie Nathalie Isabelle Sylvie Catherine Françoise Christine Valérie Sandrine Véronique Céline
        Stéphanie Monique Martine Sophie Anne Julie Nicole Jacqueline Laurence Patricia Aurélie
        Brigitte Virginie Émilie Camille Élodie Laura Christelle Corinne Hélène Caroline Delphine
        Michèle Annie Chantal Danielle Denise Florence Karine Mélanie Léa Manon Marion Pauline Claire
        Sarah Chloé Emma Jeanne Louise Alice Jade Mathilde Lucie Marine Charlotte Anaïs Justine
        Morgane Audrey Vanessa Séverine Laetitia Sabrina Jennifer Alexandra Élisabeth Simone Yvette
        Colette Paulette Madeleine Geneviève Thérèse Suzanne Germaine Odette Josiane Évelyne Ghislaine
        Bernadette Marie-Claude Marie-Christine Marie-Thérèse Anne-Marie Marie-France Anne-Sophie
        Marie-Hélène Anne-Laure Agnès Cécile Béatrice Pascale Muriel Nadine Mireille Joëlle Éliane
        Régine Fabienne Carole Estelle Gaëlle Maëlle Noémie Océane Inès Lina Zoé Juliette Clara Eva
        Romane Lola Ambre Rose Margaux Clémence Fatima Yasmine Samira Nadia Khadija Leïla Malika Aïcha
        Naïma Karima Mariam Aminata Fatoumata Aïssatou Awa Mariama Maria Fernanda Conceição Lurdes
        Linh Mei Kim Soraya Amina Rachida Solène Perrine Dominique Claude Gwenaëlle Maryse Lucienne
        Raymonde Marcelle Magali""",
    men="""
        Jean Philippe Michel Pierre Alain Nicolas Christophe Patrick Daniel Bernard Éric Laurent
        Frédéric Christian Stéphane Pascal David Sébastien Julien Thierry Olivier Gérard Jacques
        Alexandre Thomas Didier Dominique Bruno Vincent François Jérôme Guillaume Anthony Kevin André
        Maxime Romain Claude Benjamin Mickaël Antoine Cédric Arnaud Fabrice Gilles Marc Serge Franck
        Hervé Jean-Pierre Xavier Ludovic Jean-Claude Florian Clément Mathieu Quentin Lucas Hugo Louis
        Paul Adrien Alexis Robert Jean-Luc Jean-Marc Jean-Paul Jean-Michel Jean-François Jean-Louis
        Jean-Jacques René Roger Marcel Raymond Maurice Henri Georges Lucien Roland Yves Guy Denis
        Dylan Damien Grégory Fabien Emmanuel Jonathan Samuel Sylvain Yannick Yann Loïc Ronan Gaël
        Erwan Régis Rémi Raphaël Gabriel Jules Léo Arthur Nathan Enzo Théo Noah Ethan Tom Mathis
        Baptiste Valentin Simon Victor Mohamed Mehdi Karim Rachid Ahmed Youssef Ali Omar Samir Nabil
        Farid Ibrahim Bilal Mamadou Moussa Ousmane Abdoulaye Cheikh Amadou Modibo José Manuel Antonio
        Joaquim Carlos Minh Tuan Wei Félix Martin Étienne Gustave Marius Albert Fernand Léon Edmond
        Gilbert Joël Cyril Tristan Corentin Kylian Marc-Antoine Pierre-Yves Charles-Henri""",
    surnames="""
        Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre
        Leroy Roux David Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau
        Vincent Muller Lefèvre Faure André Mercier Blanc Guérin Boyer Garnier Chevalier François
        Legrand Gauthier Garcia Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu Gautier
        Masson Marchand Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard
        Giraud Joly Rivière Lucas Brunet Gaillard Barbier Arnaud Martinez Gérard Roche Renard Schmitt
        Roy Leroux Colin Vidal Caron Picard Roger Fabre Aubert Lemoine Renaud Dumas Lacroix Olivier
        Philippe Bourgeois Pierre Benoît Rey Leclerc Payet Rolland Leclercq Guillaume Lecomte Lopez
        Jean Dupuy Guillot Hubert Berger Carpentier Sanchez Dupuis Moulin Louis Deschamps Huet Vasseur
        Perez Boucher Fleury Royer Klein Jacquet Adam Paris Poirier Marty Aubry Guyot Carré Charles
        Renault Charpentier Ménard Maillard Baron Bertin Bailly Hervé Schneider Fernandez Le_Gall
        Collet Léger Bouvier Julien Prévost Millet Perrot Daniel Cousin Germain Breton Besson Langlois
        Rémy Le_Goff Pelletier Lévêque Perrier Leblanc Barré Lebrun Marchal Weber Mallet Hamon
        Boulanger Jacob Monnier Michaud Rodriguez Guichard Gillet Étienne Grondin Poulain Tessier
        Chevallier Collin Chauvin Da_Silva Bouchet Gay Lemaître Bénard Maréchal Humbert Reynaud
        Antoine Hoarau Perret Barthélemy Cordier Pichon Lejeune Gilbert Lamy Delaunay Pasquier Carlier
        Laporte Nguyen Traoré Diallo Benali Saïdi Ben_Ahmed Haddad Benaïssa Belkacem Bouzid Hamdi
        Mansouri Cherif Slimani Zerrouki Amrani El_Amrani Diarra Coulibaly Konaté Keïta Camara Sow Ba
        Diop Ndiaye Fall Cissé Touré Sylla Koné Kouassi Mendy Gomis Ferreira Pereira Dos_Santos
        Rodrigues Gonçalves Fernandes Gomes Oliveira Lopes Marques Tran Pham Huynh Chen Wang Zhang
        Kaya Yilmaz Demir Kowalski Nowak Rossi Costa Romano Hernandez Gonzalez Ruiz Moreno Navarro
        Delgado Delmas Blot Tanguy Quéré Kerneis Guivarch Etcheverry Ibarra Schmidt Wagner Zimmermann
        Vandamme Delattre Deprez Delannoy Dewaele Santoni Casanova Luciani Bianchi Albertini;
        Le_ + Roux Corre Bihan Bras Floch Meur Guen Borgne Berre Breton Clerc Fur Gac Guennec Lay Moal
        Moigne Page Pen Quéré Saux Tallec Roy Blanc Brun Maître Normand Bail Bars Bec Blond Bot Bris
        Cam Calvez Coz Cornec Dantec Duc Foll Garrec Gentil Gouic Hen Her Houérou Mao Marchand Marec
        Nir Pape Provost Sourd Strat Thiec Tual Vaillant;
        De_ + Sousa Carvalho Freitas Jesus Lima Matos Oliveira Pina Almeida Castro Backer Smet Clercq
        Vos Wilde Meyer Beaumont Courcy Fontenay Luca Marco Santis La_Cruz La_Fuente Villiers Roux;
        du_ + Bellay Bois Breuil Chesne Fresne Manoir Mesnil Moulin Parc Plessis Pont Pré Puy Tertre
        Val Verger Vivier Bouchet Boullay Fay Jardin Roure Rocher;
        Aubr Barb Bard Barn Bass Baud Beaum Bell Bern Bert Bess Bign Blanch Blond Bod Boiss Bonn Boss
        Bouch Boud Boug Bouill Boul Bourd Bourg Bout Bress Bret Briss Broch Brun Buss Cad Caill Calm
        Camb Capr Carr Cass Cav Chab Chaill Chal Chamb Champ Chand Chant Chap Chard Charl Charr Chass
        Chauv Chev Chom Clav Clem Col Combr Coqu Corb Corn Coss Cott Couch Coul Court Coust Crép Crois
        Dan Daud Dauv Delm Desch Desm Doll Dorv Doub Drou Duch Dum Dur Esc Espin Fab Farg Fauch Faur
        Fav Ferr Flam Fleur Flor Fond Font Forg Foss Fouch Foug Fourn Frém Fress From Gaill Gal Gamb
        Gand Garn Gass Gaud Gav Gerb Gill Gir Gob God Gor Goss Goud Goul Gour Grand Grav Gren Grim
        Guich Guill Hard Herb Houd Hug Jacqu Jam Jol Joub Jouss Labr Lam Land Laur Lav Leb Lec Lef Lem
        Lep Lor Lour Mab Magn Maill Malb Mall Mang Marc March Marg Marr Mass Math Maud Mell Merc Mich
        Mign Mir Mond Mont Mor Moss Mouch Moul Mour Nad Nav Niv Noir Pag Paill Pal Parm Pasqu Pell
        Perr Pess Petr Pich Pign Pill Plan Poir Poiss Pom Pont Porch Port Poug Pouss Prad Quint Rab
        Rag Ramb Rav Reb Regn Ren Rich Rig Riv Rob Roch Rog Roll Rom Ross Roug Rouss Rouv Sabl Saill
        Sarr Sauv Savar Seg Sén Sib Sim Soul Tabar Taill Tess Thib Thom Till Tiss Tour Trich Troch
        Vaill Val Vall Vass Vaud Verd Verg Vern Vial Vid Vign Vill Vinc Viv + ier et ot eau ard in on
        el aud ault at ieu ellier eron illon inet erot ois oux ou ert onneau""",
    cities="""
        Île-de-France: Paris 75001 16 1.35, Paris 75002 21 1.25, Paris 75003 33 1.25,
        Paris 75004 28 1.3, Paris 75005 57 1.3, Paris 75006 40 1.45, Paris 75007 48 1.5,
        Paris 75008 35 1.5, Paris 75009 59 1.3, Paris 75010 86 1.1, Paris 75011 142 1.15,
        Paris 75012 140 1.1, Paris 75013 178 1, Paris 75014 135 1.15, Paris 75015 228 1.2,
        Paris 75016 160 1.5, Paris 75017 163 1.3, Paris 75018 188 .95, Paris 75019 180 .85,
        Paris 75020 189 .9, Boulogne-Billancourt 92100 120 1.4, Saint-Denis 93200 113 .72,
        Argenteuil 95100 110 .82, Montreuil 93100 110 .9, Nanterre 92000 96 .98, Créteil 94000 92 .92,
        Vitry-sur-Seine 94400 95 .85, Versailles 78000 84 1.4, Aubervilliers 93300 87 .7,
        Courbevoie 92400 82 1.3, Saint-Maur-des-Fossés 94100 75 1.3,
        Issy-les-Moulineaux 92130 68 1.35, Neuilly-sur-Seine 92200 60 1.5, Sarcelles 95200 58 .72,
        Évry-Courcouronnes 91000 67 .8, Cergy 95000 66 .9, Meaux 77100 56 .82, Melun 77000 42 .85,
        Saint-Germain-en-Laye 78100 45 1.4, Fontainebleau 77300 15 1.25, Rambouillet 78120 27 1.2,
        Palaiseau 91120 36 1.15, Vincennes 94300 48 1.4, Mantes-la-Jolie 78200 44 .75,
        Pontoise 95300 31 1.05, Provins 77160 12 .85;
        Auvergne-Rhône-Alpes: Lyon 69001 29 1.15, Lyon 69002 31 1.3, Lyon 69003 102 1.1,
        Lyon 69004 36 1.15, Lyon 69005 49 1.1, Lyon 69006 52 1.35, Lyon 69007 85 1, Lyon 69008 87 .9,
        Lyon 69009 52 .95, Saint-Étienne 42000 173 .82, Grenoble 38000 158 .98,
        Villeurbanne 69100 155 .92, Clermont-Ferrand 63000 147 .92, Annecy 74000 130 1.3,
        Valence 26000 64 .88, Chambéry 73000 59 1, Bourg-en-Bresse 01000 42 .88, Roanne 42300 35 .82,
        Vichy 03200 25 .88, Montluçon 03100 34 .8, Aurillac 15000 26 .92, Le Puy-en-Velay 43000 19 .9,
        Thonon-les-Bains 74200 36 1.15, Aix-les-Bains 73100 31 1.05, Montélimar 26200 40 .88,
        Privas 07000 8 .9;
        Provence-Alpes-Côte d'Azur: Marseille 13001 39 .8, Marseille 13002 25 .75,
        Marseille 13003 53 .7, Marseille 13004 49 .9, Marseille 13005 45 .95, Marseille 13006 42 1.1,
        Marseille 13007 34 1.25, Marseille 13008 84 1.3, Marseille 13009 76 1.1,
        Marseille 13010 58 .95, Marseille 13011 57 .95, Marseille 13012 62 1.1, Marseille 13013 94 .9,
        Marseille 13014 62 .72, Marseille 13015 78 .7, Marseille 13016 15 .85, Nice 06000 125 1.1,
        Nice 06100 100 1, Nice 06200 75 .95, Nice 06300 48 .85, Toulon 83000 100 .92,
        Toulon 83100 45 .9, Toulon 83200 33 .85, Aix-en-Provence 13100 147 1.2, Avignon 84000 91 .8,
        Antibes 06600 73 1.15, Cannes 06400 73 1.05, La Seyne-sur-Mer 83500 62 .9, Hyères 83400 55 1,
        Arles 13200 51 .85, Fréjus 83600 56 .95, Martigues 13500 48 .98, Grasse 06130 49 .98,
        Gap 05000 41 .95, Digne-les-Bains 04000 16 .9, Draguignan 83300 40 .9, Menton 06500 30 1.05;
        Occitanie: Toulouse 31000 125 1.1, Toulouse 31100 95 .8, Toulouse 31200 105 .95,
        Toulouse 31300 70 .95, Toulouse 31400 65 1.1, Toulouse 31500 45 1.1,
        Montpellier 34000 110 .95, Montpellier 34070 80 .9, Montpellier 34080 68 .75,
        Montpellier 34090 45 1.05, Nîmes 30000 100 .9, Nîmes 30900 49 .8, Perpignan 66000 75 .75,
        Perpignan 66100 45 .85, Béziers 34500 79 .75, Montauban 82000 61 .85, Narbonne 11100 55 .84,
        Albi 81000 49 .92, Carcassonne 11000 46 .8, Sète 34200 44 .88, Castres 81100 42 .83,
        Tarbes 65000 43 .83, Colomiers 31770 39 1.05, Rodez 12000 24 .98, Auch 32000 22 .88,
        Cahors 46000 20 .88, Alès 30100 41 .76, Mende 48000 12 .92, Foix 09000 10 .82,
        Lourdes 65100 13 .8;
        Nouvelle-Aquitaine: Bordeaux 33000 140 1.15, Bordeaux 33100 35 1, Bordeaux 33200 45 1.25,
        Bordeaux 33300 20 .9, Bordeaux 33800 22 .95, Mérignac 33700 74 1.08, Pessac 33600 66 1,
        Limoges 87000 90 .9, Limoges 87100 40 .8, Poitiers 86000 90 .88, La Rochelle 17000 78 1,
        Pau 64000 76 .95, Bayonne 64100 52 .97, Niort 79000 59 1, Angoulême 16000 41 .82,
        Brive-la-Gaillarde 19100 46 .92, Périgueux 24000 30 .86, Agen 47000 33 .82,
        Biarritz 64200 25 1.2, Arcachon 33120 11 1.35, Guéret 23000 13 .85, Royan 17200 19 1.05;
        Pays de la Loire: Nantes 44000 150 1.1, Nantes 44100 80 .98, Nantes 44200 30 1,
        Nantes 44300 60 .95, Angers 49000 100 .97, Angers 49100 55 .93, Le Mans 72000 100 .88,
        Le Mans 72100 45 .85, Saint-Nazaire 44600 72 .92, Cholet 49300 54 .9,
        La Roche-sur-Yon 85000 55 .95, Laval 53000 49 .92, Saumur 49400 26 .85,
        Les Sables-d'Olonne 85100 45 1, La Baule-Escoublac 44500 16 1.35,
        Fontenay-le-Comte 85200 13 .88;
        Bretagne: Rennes 35000 140 1.05, Rennes 35200 48 .8, Rennes 35700 35 1.15,
        Brest 29200 140 .95, Quimper 29000 63 .98, Lorient 56100 57 .9, Vannes 56000 54 1.02,
        Saint-Malo 35400 47 1.02, Saint-Brieuc 22000 44 .88, Lannion 22300 20 1,
        Concarneau 29900 20 .95, Pontivy 56300 15 .88, Dinan 22100 14 .95;
        Normandie: Le Havre 76600 100 .85, Le Havre 76620 68 .9, Rouen 76000 75 1.05,
        Rouen 76100 39 .82, Caen 14000 106 .95, Cherbourg-en-Cotentin 50100 79 .95,
        Évreux 27000 47 .8, Dieppe 76200 28 .8, Alençon 61000 25 .8, Saint-Lô 50000 19 .9,
        Granville 50400 12 1, Deauville 14800 3.6 1.25, Bayeux 14400 13 .9;
        Hauts-de-France: Lille 59000 150 1, Lille 59800 55 .95, Lille 59160 28 .9, Amiens 80000 90 .9,
        Amiens 80080 25 .75, Amiens 80090 20 .8, Tourcoing 59200 98 .75, Roubaix 59100 98 .7,
        Dunkerque 59140 87 .82, Calais 62100 67 .72, Villeneuve-d'Ascq 59650 62 .95,
        Beauvais 60000 56 .82, Saint-Quentin 02100 53 .75, Valenciennes 59300 43 .8,
        Boulogne-sur-Mer 62200 40 .72, Arras 62000 42 .9, Compiègne 60200 40 .95, Douai 59500 39 .8,
        Lens 62300 32 .7, Laon 02000 24 .8, Creil 60100 36 .72, Marcq-en-Barœul 59700 38 1.35,
        Senlis 60300 15 1.2, Le Touquet-Paris-Plage 62520 4.2 1.35;
        Grand Est: Strasbourg 67000 165 1.05, Strasbourg 67100 85 .85, Strasbourg 67200 40 .8,
        Reims 51100 181 .9, Metz 57000 75 1, Metz 57050 20 .9, Metz 57070 25 .85, Nancy 54000 104 .95,
        Mulhouse 68100 70 .78, Mulhouse 68200 38 .75, Colmar 68000 67 .9, Troyes 10000 62 .77,
        Charleville-Mézières 08000 46 .78, Châlons-en-Champagne 51000 43 .85, Thionville 57100 42 1,
        Épinal 88000 32 .88, Haguenau 67500 35 .98, Chaumont 52000 21 .88, Épernay 51200 22 .85,
        Saint-Dié-des-Vosges 88100 19 .82, Verdun 55100 16 .85, Sedan 08200 16 .72;
        Bourgogne-Franche-Comté: Dijon 21000 159 1, Besançon 25000 118 .95, Belfort 90000 46 .82,
        Chalon-sur-Saône 71100 45 .85, Auxerre 89000 34 .85, Nevers 58000 33 .83, Mâcon 71000 34 .85,
        Sens 89100 26 .85, Montbéliard 25200 25 .78, Beaune 21200 20 .98, Lons-le-Saunier 39000 17 .9;
        Centre-Val de Loire: Tours 37000 80 1, Tours 37100 28 .95, Tours 37200 30 .82,
        Orléans 45000 85 1, Orléans 45100 32 .85, Bourges 18000 64 .88, Blois 41000 46 .85,
        Châteauroux 36000 43 .83, Chartres 28000 38 1, Joué-lès-Tours 37300 38 .95,
        Dreux 28100 31 .75, Vendôme 41100 16 .88, Montargis 45200 15 .78, Amboise 37400 13 .95;
        Corse: Ajaccio 20000 72 1, Bastia 20200 48 .9, Porto-Vecchio 20137 12 .95, Calvi 20260 5.7 .98""",
    streets="""
        rue: de la République, Victor-Hugo, de l'Église, Pasteur, du Général-de-Gaulle, des Écoles,
        de la Mairie, Jean-Jaurès, du Moulin, des Jardins, de la Gare, Émile-Zola, Gambetta,
        du Château, du Stade, des Tilleuls, de la Fontaine, Jules-Ferry, Jean-Moulin, de la Paix,
        de Verdun, des Lilas, Molière, Voltaire, du 8-Mai-1945, du 11-Novembre, des Acacias,
        de la Liberté, Anatole-France, Pierre-Curie, Marie-Curie, des Rosiers, du Lavoir, des Vignes,
        de Bretagne, de Paris, de la Poste, Saint-Martin, Saint-Pierre, Notre-Dame, Sainte-Anne,
        Saint-Jacques, George-Sand, Claude-Monet, Jean-de-La-Fontaine, de l'Abbaye, du Marché,
        des Cordeliers, du Faubourg-Saint-Antoine, Racine, Lamartine, Louis-Blanc, Carnot, Kléber,
        des Prés, du Puits, des Peupliers, Georges-Brassens, Jacques-Prévert, Simone-Veil;
        avenue: Jean-Jaurès, du Général-Leclerc, Foch, de la Gare, Charles-de-Gaulle,
        de la République, Victor-Hugo, des Champs, du Maréchal-Juin, Aristide-Briand, de l'Europe,
        de la Plage; boulevard: Gambetta, Carnot, de la Liberté, Saint-Michel, Pasteur, de Strasbourg;
        place: de la Mairie, du Marché, de l'Église, de la République, Saint-Pierre;
        impasse: des Bleuets, des Mésanges, du Clos, des Cerisiers, des Hirondelles;
        chemin: de la Croix, des Vignes, du Bois, de la Source, des Amoureux; allée: des Érables,
        des Pinsons, du Parc, Jacques-Brel, de la Forêt; route: de Paris, de Lyon, Nationale,
        de la Mer; quai: des Chartrons, de la Loire, Voltaire""",
    number_first=True,
    calling_code="33",
    mobile_prefixes="6 7",
    landline_prefixes="1 2 3 4 5",
    subscriber_digits=8,
    mail_domains="""
        courriel.example boite-postale.example mailo-box.example ma-poste.example pli-express.example
        hexa-mail.example fil-direct.example lettre-bleue.example messagerie-libre.example
        mon-courrier.example""",
)
GERMANY = _country(
    code="DE",
    language="de",
    women="""
        Maria Anna Sabine Petra Monika Ursula Claudia Susanne Andrea Stefanie Julia Birgit Nicole
        Karin Heike Martina Christine Renate Katharina Brigitte Angelika Silke Gabriele Kerstin Anja
        Sandra Melanie Christina Tanja Ingrid Elke Ute Jana Lena Laura Lea Hannah Sophie Emma Mia
        Johanna Franziska Elisabeth Heidi Gisela Jutta Ulrike Doris Käthe Bärbel Anneliese Hannelore
        Ayşe Ann-Kathrin Marlene Frieda""",
    men="""
        Peter Michael Thomas Andreas Wolfgang Klaus Jürgen Stefan Christian Uwe Werner Hans Frank
        Bernd Matthias Dieter Markus Martin Jörg Günter Manfred Alexander Horst Daniel Ralf Sebastian
        Tobias Jan Florian Jens Philipp Heinz Helmut Gerhard Rainer Torsten Karl Walter Sven Felix
        Lukas Jonas Leon Paul Ben Finn Maximilian Björn Götz Hans-Peter Karl-Heinz Mehmet Mustafa Dirk
        Holger Friedrich""",
    surnames="""
        Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer
        Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange
        Schmitt Werner Schmitz Krause Meier Lehmann Schmid Schulze Maier Köhler Herrmann König Walter
        Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert Vogel Friedrich
        Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon
        Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto Sommer Groß Seidel
        Heinrich Brandt Haas Schreiber Graf Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann
        Thomas Voigt Sauer Arnold Wolff Pfeiffer Yılmaz Kaya Strauß Preuß Voß Heß Thiel Nowak Ott
        Seifert Riedel Lindner Hübner Kramer Götz Bock Langer Grimm Ritter Haase Förster Kern Kröger
        Bühler Kunz Löffler Büttner; Alt Bach Berg Birk Brand Brink Brück Buch Dorn Eich Frei Grün
        Hart Heid Hoch Hof Holz Kamp Kirch Klein Lind Loh Neu Nord Ober Oster Rein Ried Rosen Roth
        Sand Schön Stein Stroh Süd Tann Thal Unter Wald Wein Weiden West Wies Winkel + mann meier
        bauer müller hoff berger feld""",
    cities="""
        Berlin: Berlin 10115 1900 1, Berlin 12043 850 .85, Berlin 14193 950 1.3;
        Hamburg: Hamburg 20095 1000 1.15, Hamburg 22303 850 1.1; Bayern: München 80331 1510 1.35,
        Nürnberg 90402 526 1, Augsburg 86150 303 .98, Regensburg 93047 159 1.05;
        Nordrhein-Westfalen: Köln 50667 1087 1.05, Düsseldorf 40213 631 1.2, Dortmund 44135 595 .88,
        Essen 45127 586 .92, Duisburg 47051 503 .8, Bonn 53111 336 1.15, Münster 48143 323 1.08,
        Aachen 52062 252 .95; Hessen: Frankfurt am Main 60311 775 1.25, Wiesbaden 65183 285 1.1;
        Baden-Württemberg: Stuttgart 70173 633 1.2, Karlsruhe 76133 309 1.05, Mannheim 68159 316 .95,
        Freiburg im Breisgau 79098 237 1, Kehl 77694 38 .92; Sachsen: Leipzig 04109 620 .88,
        Dresden 01067 566 .92, Chemnitz 09111 249 .82; Niedersachsen: Hannover 30159 548 .98;
        Bremen: Bremen 28195 577 .92; Saarland: Saarbrücken 66111 183 .9;
        Rheinland-Pfalz: Mainz 55116 222 1.08; Thüringen: Erfurt 99084 215 .88;
        Schleswig-Holstein: Kiel 24103 247 .9""",
    streets="""
        Hauptstraße, Schulstraße, Gartenstraße, Bahnhofstraße, Dorfstraße, Bergstraße, Birkenweg,
        Lindenstraße, Kirchstraße, Waldstraße, Ringstraße, Schillerstraße, Goethestraße, Amselweg,
        Wiesenstraße, Jahnstraße, Buchenweg, Mühlenweg, Am Sportplatz, Rosenstraße, Blumenstraße,
        Feldstraße, Ahornweg, Mozartstraße, Beethovenstraße, Poststraße, Marktplatz, Friedhofstraße,
        Königstraße, Kaiserstraße, Schloßallee, Berliner Straße, Am Mühlbach, Rathausplatz,
        Lessingstraße""",
    number_first=False,
    calling_code="49",
    mobile_prefixes="151 152 157 159 176",
    landline_prefixes="30 40 69 89",
    subscriber_digits=8,
    mail_domains="briefkasten.example postfach-netz.example e-brief.example kurzpost.example",
)
GREAT_BRITAIN = _country(
    code="GB",
    language="en",
    women="""
        Susan Margaret Sarah Elizabeth Patricia Julie Karen Mary Christine Jacqueline Helen Emma
        Claire Amanda Louise Nicola Deborah Linda Tracey Jane Joanne Sharon Alison Lisa Michelle
        Rebecca Laura Gemma Rachel Charlotte Jessica Hannah Katie Amy Lauren Emily Sophie Olivia
        Amelia Isla Ava Grace Chloe Victoria Catherine Jennifer Kathleen Dorothy Joan Jean Siobhan
        Aisha Priya Fatima Eleanor Imogen""",
    men="""
        David John Michael Paul Andrew Peter Stephen Mark Robert James Richard Christopher Ian Simon
        Anthony William Kevin Philip Alan Steven Gary Martin Colin Jonathan Nicholas Matthew Daniel
        Thomas Adam Benjamin Joseph Samuel Jack Harry Oliver George Charlie Alexander Ryan Luke Joshua
        Callum Graham Keith Nigel Derek Trevor Brian Kenneth Ronald Angus Hamish Mohammed Imran Rajesh
        Edward Timothy""",
    surnames="""
        Smith Jones Williams Taylor Brown Davies Evans Wilson Thomas Johnson Roberts Robinson Thompson
        Wright Walker White Edwards Hughes Green Hall Lewis Harris Clarke Patel Jackson Wood Turner
        Martin Cooper Hill Ward Morris Moore Clark Lee King Baker Harrison Morgan Allen James Scott
        Phillips Watson Davis Parker Price Bennett Young Griffiths Mitchell Kelly Cook Carter
        Richardson Bailey Collins Bell Shaw Murphy Miller Cox Richards Khan Marshall Anderson Simpson
        Ellis Adams Singh Begum Wilkinson Foster Chapman Powell Webb Rogers Gray Mason Ali Hunt
        Hussain Campbell Matthews Owen Palmer Holmes Mills Barnes Knight Lloyd Butler Russell Barker
        Fisher Stevens Jenkins Murray Dixon Harvey Graham Pearson Ahmed Fletcher Walsh Kaur Gibson
        Howard Andrews Stewart Elliott Reynolds Saunders Payne Fox Ford Pearce Day Brooks West
        Lawrence Cole Atkinson Bradley Spencer Gill Dawson Watts Burton Ross McDonald O'Neill O'Brien
        McCarthy O'Connor MacLeod McKenzie Fraser Hamilton Douglas Sinclair Ferguson Smith-Jones
        Taylor-Brown Hughes-Davies Carter-Wood Parker-Bowen Lloyd-Evans Moore-Ward Bell-Turner
        Hill-Watson; Mc Mac + Donald Gregor Intyre Kay Lean Millan Neil Pherson Arthur Bride Farlane
        Innes; O' + Reilly Sullivan Donnell Keefe Leary Hara Grady Rourke Shea Dwyer Malley Kane; Ash
        Brad Brook Burn Comp Crow Dal Den Fair Hal Ham Har Hart Hol Horn Lang Mil Nor Oak Pem Rad Red
        Shel Stan Stock Thorn Wal Whit Win + ton ley ford well wood worth by stead""",
    cities="""
        London: London E1_6AN 2200 .9, London SW4_0AA 2100 1.15, London NW3_2QG 1500 1.4,
        London SE15_4QF 1700 .85, London W8_5EH 1300 1.5, Croydon CR0_1EA 390 .98;
        West Midlands: Birmingham B1_1BB 1140 .85, Coventry CV1_5RR 345 .9;
        North West: Manchester M2_5DB 550 .9, Liverpool L1_8JQ 486 .85;
        Yorkshire: Leeds LS1_1UR 810 .95, Sheffield S1_2HH 556 .9, Bradford BD1_1HY 546 .78,
        York YO1_9QL 202 1.02, Kingston upon Hull HU1_2AA 267 .76; Scotland: Glasgow G2_1DU 635 .9,
        Edinburgh EH1_1YJ 526 1.15, Aberdeen AB10_1FY 227 1.08; Wales: Cardiff CF10_3ND 362 .95;
        Northern Ireland: Belfast BT1_5GS 345 .88; South West: Bristol BS1_5TR 472 1.05,
        Plymouth PL1_2AA 264 .88; South East: Brighton BN1_1JE 277 1.08, Southampton SO14_7LY 249 .92,
        Oxford OX1_1BX 162 1.2; East Midlands: Nottingham NG1_5DT 323 .8, Leicester LE1_5BD 368 .78;
        East of England: Cambridge CB2_3QJ 145 1.25, Norwich NR2_1NH 144 .9;
        North East: Newcastle upon Tyne NE1_8QH 300 .88""",
    streets="""
        High Street, Station Road, Main Street, Park Road, Church Road, Church Street, London Road,
        Victoria Road, Green Lane, Manor Road, Church Lane, Park Avenue, The Avenue, The Crescent,
        Queens Road, New Road, Grange Road, Kings Road, Kingsway, Windsor Road, Highfield Road,
        Mill Lane, Alexander Road, York Road, St John's Road, Main Road, Broadway, King Street,
        The Green, Springfield Road, George Street, Park Lane, Victoria Street, Albert Road,
        Queensway, Chapel Lane, Orchard Close, Meadow View""",
    number_first=True,
    calling_code="44",
    mobile_prefixes="740 750 771 773 775 780 785 791 797",
    landline_prefixes="113 117 121 131 141 151 161 203 207 208",
    subscriber_digits=7,
    mail_domains="letterbox.example penny-post.example inbox-uk.example swiftmail.example",
)
SPAIN = _country(
    code="ES",
    language="es",
    women="""
        María_Carmen María Carmen Ana_María Laura Isabel Cristina Marta Josefa María_Dolores
        María_Pilar Ana Lucía María_Teresa Sara Paula Elena María_José Raquel Rosa_María Pilar
        Concepción Manuela Mercedes Julia Beatriz Nuria Silvia Alba Irene Patricia Rosario Montserrat
        Andrea Juana Teresa Encarnación Rocío Mónica Alicia Sonia Marina Sandra Susana Ángela Yolanda
        Natalia Inmaculada Sofía Eva Inés Esther Verónica Noelia Ángeles Begoña""",
    men="""
        Antonio Manuel José Francisco David Juan Javier Daniel José_Antonio Francisco_Javier José_Luis
        Carlos Jesús Alejandro Miguel José_Manuel Rafael Miguel_Ángel Pedro Pablo Ángel Sergio
        José_María Fernando Jorge Luis Alberto Juan_Carlos Álvaro Adrián Juan_José Diego Raúl Iván
        Juan_Antonio Rubén Enrique Óscar Ramón Andrés Vicente Ignacio Joaquín Santiago Víctor Eduardo
        Mario Roberto Jaime Marcos Hugo Nicolás Íñigo Gonzalo Agustín Joan""",
    surnames="""
        García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez
        Hernández Ruiz Díaz Moreno Muñoz Álvarez Romero Gutiérrez Alonso Navarro Torres Domínguez
        Ramos Vázquez Ramírez Gil Serrano Morales Molina Blanco Suárez Castro Ortega Delgado Ortiz
        Marín Rubio Núñez Medina Sanz Castillo Iglesias Cortés Garrido Santos Guerrero Lozano Cano
        Cruz Méndez Flores Prieto Herrera Peña León Márquez Cabrera Gallego Calvo Vidal Campos Reyes
        Vega Fuentes Carrasco Díez Aguilar Caballero Nieto Santana Vargas Pascual Giménez Herrero
        Hidalgo Montero Lorenzo Santiago Benítez Durán Ibáñez Arias Mora Ferrer Carmona Vicente Rojas
        Soto Crespo Román Pastor Velasco Parra Sáez Moya Bravo Rivera Gallardo Soler Esteban Silva
        Rivas Pardo Merino Franco Espinosa Izquierdo Lara Camacho Arroyo Vera Redondo Casado Sierra
        Luque Montes Rey Galán Carrillo Otero Segura Heredia Bernal Marcos Soriano Palacios Valero
        Contreras Mendoza Varela Expósito Macías Pereira Bueno Andrés Guerra Villar Menéndez Miranda
        Benito Mateo Rovira Roca Miralles Puig Serra Vila Ríos Aranda Roldán Plaza Trujillo Escudero
        Acosta Quintana Rueda Villanueva Beltrán Conde Salas Zamora Estévez Manzano Aparicio Blasco
        Polo Salazar Pineda Robles Correa Ponce Palomo Bermúdez Olivares Barroso Toledo Valverde
        Bermejo Santamaría Cuesta Cordero Oliva Vallejo Ballesteros Lázaro Padilla Rosales Maldonado
        Burgos; de_la_ + Torre Fuente Cruz Peña Rosa Vega Iglesia Calle Mata Hoz Puente Llave; del_ +
        Río Valle Pozo Campo Castillo Olmo Pino Álamo Moral Barrio Cerro Rey; Agirr Etxeb Goik Iturr
        Larr Mend Elorr Ugart Urib Zub Arr Ibarr + ea eta arri aga oetxea""",
    double_surnames=True,
    cities="""
        Comunidad de Madrid: Madrid 28001 900 1.45, Madrid 28015 1200 1.1, Madrid 28041 1200 .8,
        Alcalá de Henares 28801 199 .95; Cataluña: Barcelona 08001 800 .95, Barcelona 08017 840 1.4,
        L'Hospitalet de Llobregat 08901 275 .85, Girona 17001 106 1.1, Figueres 17600 48 .85;
        Comunitat Valenciana: València 46001 807 1, Alacant 03001 349 .85;
        Andalucía: Sevilla 41001 684 .92, Málaga 29001 592 .88, Córdoba 14001 324 .85,
        Granada 18001 230 .92; Aragón: Zaragoza 50001 682 1.02;
        Región de Murcia: Murcia 30001 470 .85, Cartagena 30201 218 .84;
        Illes Balears: Palma 07001 430 1.05; Canarias: Las Palmas de Gran Canaria 35001 380 .88,
        Santa Cruz de Tenerife 38001 209 .88; País Vasco: Bilbao 48001 347 1.2,
        Vitoria-Gasteiz 01001 256 1.15, Donostia 20001 188 1.3, Irun 20301 63 1.05;
        Castilla y León: Valladolid 47001 298 1.02, Burgos 09001 174 1.05;
        Galicia: Vigo 36201 294 .95, A Coruña 15001 248 1.02; Asturias: Gijón 33201 268 .98,
        Oviedo 33001 219 1.05; Navarra: Pamplona 31001 206 1.2; Cantabria: Santander 39001 173 1""",
    streets="""
        Calle: Mayor, Real, Nueva, de la Constitución, de la Iglesia, del Sol, San Juan, Santiago,
        Cervantes, Goya, Velázquez, Colón, del Carmen, San José, San Antonio, de la Fuente, Alta,
        del Molino, Miguel Hernández, Federico García Lorca, Antonio Machado, de la Luna, Serrano,
        de Alcalá; Avenida: de la Constitución, de España, de Andalucía, del Mediterráneo, de Europa;
        Plaza: Mayor, de España, de la Constitución, San Pedro; Paseo: del Prado, de Gracia, Marítimo""",
    number_first=False,
    calling_code="34",
    mobile_prefixes="60 61 62 63 64 65 66 67 68 69 71 72",
    landline_prefixes="91 93 94 95 96 97 98",
    subscriber_digits=7,
    mail_domains="buzon.example correo-sol.example mi-carta.example cartero.example",
)
ITALY = _country(
    code="IT",
    language="it",
    women="""
        Maria Anna Giuseppina Rosa Angela Giovanna Teresa Lucia Carmela Caterina Francesca Antonietta
        Carla Elena Concetta Rita Margherita Franca Paola Laura Giulia Sara Martina Chiara Valentina
        Alessia Federica Silvia Elisa Ilaria Sofia Aurora Giorgia Alice Emma Greta Roberta Simona
        Daniela Patrizia Cristina Barbara Monica Stefania Claudia Raffaella Eleonora Beatrice Ludovica
        Camilla Nicoletta Antonella Maria_Grazia Donatella""",
    men="""
        Giuseppe Antonio Giovanni Mario Francesco Luigi Angelo Vincenzo Pietro Salvatore Carlo Franco
        Domenico Bruno Paolo Michele Giorgio Aldo Sergio Luciano Andrea Marco Alessandro Luca Matteo
        Lorenzo Davide Simone Federico Riccardo Stefano Roberto Fabio Massimo Claudio Daniele Gabriele
        Nicola Leonardo Tommaso Edoardo Mattia Filippo Emanuele Alberto Enrico Nicolò Giacomo Gianluca
        Pier_Paolo Gian_Marco Raffaele Umberto Alfredo""",
    surnames="""
        Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti
        De_Luca Mancini Costa Giordano Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi
        Caruso Ferrara Galli Martini Leone Longo Gentile Martinelli Vitale Lombardo Serra Coppola
        De_Santis D'Angelo Marchetti Parisi Villa Conte Ferraro Ferri Fabbri Bianco Marini Grasso
        Valentini Messina Sala De_Angelis Gatti Pellegrini Palumbo Sanna Farina Rizzi Monti Cattaneo
        Morelli Amato Silvestri Mazza Testa Grassi Pellegrino Carbone Giuliani Benedetti Barone
        Rossetti Caputo Montanari Guerra Palmieri Bernardi Martino Fiore De_Rosa Ferretti Bellini
        Basile Riva Donati Piras Vitali Battaglia Sartori Neri Costantini Milani Pagano Ruggiero
        Sorrentino D'Amico Orlando Negri Mantovani; D' + Agostino Alessandro Ambrosio Andrea Antonio
        Aquino Arco Errico Onofrio Orazio Elia Urso Avino Alfonso Ippolito; Di_ + Marco Stefano Pietro
        Lorenzo Giovanni Carlo Martino Natale Paola Leo Biase Napoli; Lo_ Del_ + Bianco Conte Monaco
        Prete Russo Vecchio Giudice Re Presti; La_ Della_ + Rosa Torre Valle Porta Rocca Vecchia
        Monica Corte; Albert Bald Bell Bern Bon Bort Camp Cappell Cec Fer Franc Gall Gian Grand Guid
        Lazz Marc Mart Min Mor Nard Orland Paol Per Pin Ran Ross Sant Sim Tommas Vann Zan + ini etti
        elli one otti ucci oni ato""",
    cities="""
        Lazio: Roma 00118 1400 .95, Roma 00197 1350 1.25; Lombardia: Milano 20121 600 1.5,
        Milano 20147 770 1.15, Brescia 25121 197 1.08, Bergamo 24121 120 1.2, Monza 20900 123 1.2;
        Piemonte: Torino 10121 850 1.05, Cuneo 12100 56 1.08; Liguria: Genova 16121 560 1.02,
        Sanremo 18038 53 .95; Campania: Napoli 80121 910 .82, Salerno 84121 127 .9;
        Sicilia: Palermo 90121 630 .8, Catania 95121 298 .78; Puglia: Bari 70121 316 .9;
        Emilia-Romagna: Bologna 40121 390 1.2, Modena 41121 184 1.12, Parma 43121 198 1.15,
        Rimini 47921 150 1; Toscana: Firenze 50121 362 1.15; Veneto: Venezia 30121 250 1.02,
        Verona 37121 255 1.05, Padova 35121 207 1.12; Friuli-Venezia Giulia: Trieste 34121 199 1.02;
        Umbria: Perugia 06121 162 .95; Marche: Ancona 60121 98 .98; Abruzzo: Pescara 65121 118 .9;
        Calabria: Reggio Calabria 89121 170 .75; Sardegna: Cagliari 09121 148 1;
        Trentino-Alto Adige: Trento 38121 118 1.12, Bolzano 39100 106 1.2;
        Valle d'Aosta: Aosta 11100 33 1.05""",
    streets="""
        Via: Roma, Garibaldi, Marconi, Mazzini, Dante Alighieri, Verdi, Cavour, Matteotti,
        Vittorio Veneto, XX Settembre, Galileo Galilei, Leonardo da Vinci, Alessandro Manzoni,
        IV Novembre, Trieste, Trento, Milano, Napoli, Giacomo Leopardi, Michelangelo, Gramsci,
        Pascoli, San Francesco, Monte Grappa; Viale: Italia, della Libertà, Europa, dei Mille;
        Corso: Vittorio Emanuele II, Umberto I, Italia; Piazza: del Duomo, Garibaldi,
        della Repubblica, San Marco""",
    number_first=False,
    calling_code="39",
    mobile_prefixes="320 328 331 333 338 340 347 348 349 392",
    # In Italy the leading zero is dialled after the calling code too.
    landline_prefixes="064 066 024 026 011 081 051 055 010 091",
    subscriber_digits=7,
    mail_domains="casella.example postino.example bella-posta.example lettera.example",
)
POLAND = _country(
    code="PL",
    language="pl",
    women="""
        Anna Maria Katarzyna Małgorzata Agnieszka Barbara Ewa Krystyna Elżbieta Magdalena Joanna Zofia
        Aleksandra Teresa Monika Natalia Danuta Julia Karolina Marta Dorota Beata Janina Halina
        Jadwiga Alicja Jolanta Grażyna Iwona Irena Paulina Justyna Zuzanna Bożena Wiktoria Urszula
        Renata Hanna Sylwia Agata Helena Patrycja Maja Izabela Emilia Aneta Weronika Ewelina Oliwia
        Klaudia Wiesława Kinga Łucja Żaneta""",
    men="""
        Piotr Krzysztof Andrzej Tomasz Paweł Jan Michał Marcin Stanisław Jakub Adam Marek Łukasz
        Grzegorz Mateusz Wojciech Mariusz Dariusz Zbigniew Jerzy Maciej Rafał Robert Kamil Jacek Dawid
        Szymon Ryszard Kacper Józef Tadeusz Jarosław Artur Janusz Sławomir Bartosz Mirosław Damian
        Sebastian Henryk Patryk Przemysław Kazimierz Filip Marian Wiesław Daniel Roman Antoni
        Aleksander Leszek Waldemar Bogdan Mikołaj Franciszek""",
    # Men's forms alone: those that women carry are left out.
    surnames="""
        Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Szymański Woźniak
        Dąbrowski Kozłowski Jankowski Mazur Kwiatkowski Wojciechowski Krawczyk Kaczmarek Piotrowski
        Grabowski Zając Pawłowski Michalski Król Wieczorek Jabłoński Wróbel Nowakowski Majewski
        Olszewski Stępień Malinowski Jaworski Adamczyk Dudek Nowicki Pawlak Górski Witkowski Walczak
        Sikora Baran Rutkowski Michalak Szewczyk Ostrowski Tomaszewski Pietrzak Zalewski Wróblewski
        Marciniak Jasiński Zawadzki Bąk Jakubowski Sadowski Duda Włodarczyk Wilk Chmielewski Borkowski
        Sokołowski Szczepański Sawicki Kucharski Lis Maciejewski Kubiak Kalinowski Mazurek Wysocki
        Kołodziej Kaźmierczak Czarnecki Sobczak Konieczny Głowacki Urban Zakrzewski Wasilewski
        Sikorski Krajewski Laskowski Gajewski Mróz Szulc Ziółkowski Makowski Brzeziński Przybylski
        Domański Kaczmarczyk Błaszczyk Cieślak Borowski Szczepaniak Chojnacki Andrzejewski Kania Żak
        Gołębiowski Leśniak Bednarek Łukasik; Adam Bart Bogd Bor Brzoz Bud Cich Czarn Dąbr Dębn Gaj
        Górn Grab Jagod Jan Jarosz Kalin Kasprz Klon Kos Krak Kruk Lip Lis Łuk Mal Mar Mich Ostr Paw
        Piotr Rad Rog Rud Sad Skal Sob Sosn Stan Szym Tom Urb Wil Wiśn Wol Wron Zaj Zal Żur Żoł Brzez
        Gołęb Jeż Sow + owski ewski iński icki czyk ak""",
    cities="""
        Mazowieckie: Warszawa 00-001 900 1.5, Warszawa 03-287 960 1.2;
        Małopolskie: Kraków 31-005 803 1.2, Zakopane 34-500 25 .95; Łódzkie: Łódź 90-001 655 .98;
        Dolnośląskie: Wrocław 50-001 674 1.2, Wałbrzych 58-300 103 .85;
        Wielkopolskie: Poznań 61-001 538 1.18; Pomorskie: Gdańsk 80-001 487 1.18,
        Gdynia 81-301 242 1.15, Sopot 81-701 32 1.35; Zachodniopomorskie: Szczecin 70-001 389 1.02;
        Kujawsko-Pomorskie: Bydgoszcz 85-001 328 .98, Toruń 87-100 195 1;
        Lubelskie: Lublin 20-001 329 .98, Zamość 22-400 59 .85; Podlaskie: Białystok 15-001 291 .95;
        Śląskie: Katowice 40-001 278 1.15, Częstochowa 42-200 205 .9, Gliwice 44-100 170 1.08,
        Sosnowiec 41-200 188 .92, Bielsko-Biała 43-300 167 1.02; Świętokrzyskie: Kielce 25-001 182 .9;
        Podkarpackie: Rzeszów 35-001 197 1.02, Przemyśl 37-700 56 .82;
        Warmińsko-Mazurskie: Olsztyn 10-001 167 .98; Opolskie: Opole 45-001 126 1.02;
        Lubuskie: Zielona Góra 65-001 139 .98""",
    streets="""
        ul.: Polna, Leśna, Słoneczna, Krótka, Szkolna, Ogrodowa, Lipowa, Łąkowa, Brzozowa, Kwiatowa,
        Kościelna, Sosnowa, Zielona, Parkowa, Akacjowa, Kolejowa, Tadeusza Kościuszki,
        Adama Mickiewicza, Długa, Różana, Henryka Sienkiewicza, Juliusza Słowackiego,
        Fryderyka Chopina, Mikołaja Kopernika, Świerkowa, Spacerowa, Jana Pawła II, Piastowska,
        Wiśniowa, Marszałkowska, Józefa Piłsudskiego, Klonowa, 3 Maja, Źródlana""",
    number_first=False,
    calling_code="48",
    mobile_prefixes="50 51 53 57 60 66 69 72 73 78 79 88",
    landline_prefixes="12 22 32 42 58 61 71 81 85 91",
    subscriber_digits=7,
    mail_domains="skrzynka.example listonosz.example e-poczta.example goniec.example",
)
GREECE = _country(
    code="GR",
    language="el",
    women="""
        Μαρία Ελένη Αικατερίνη Βασιλική Σοφία Αγγελική Γεωργία Ευαγγελία Ιωάννα Δήμητρα Κωνσταντίνα
        Παναγιώτα Αναστασία Ειρήνη Παρασκευή Άννα Χρυσούλα Κυριακή Φωτεινή Ευφροσύνη Αθανασία Θεοδώρα
        Στυλιανή Χριστίνα Αλεξάνδρα Ελευθερία Σταυρούλα Καλλιόπη Δέσποινα Σταματία Ζωή Αντωνία Ευγενία
        Αθηνά Χαρίκλεια Ουρανία Μαργαρίτα Πηνελόπη Νικολέτα Ασημίνα Ευθυμία Γαρυφαλλιά Μαγδαληνή
        Ευτυχία Βαρβάρα Όλγα Σπυριδούλα Θεανώ Ολυμπία Ιφιγένεια Κλειώ Νεφέλη Δανάη Μυρτώ""",
    men="""
        Γεώργιος Δημήτριος Κωνσταντίνος Ιωάννης Νικόλαος Χρήστος Παναγιώτης Βασίλειος Αθανάσιος Μιχαήλ
        Ευάγγελος Σπυρίδων Αντώνιος Αναστάσιος Θεόδωρος Ανδρέας Χαράλαμπος Αλέξανδρος Εμμανουήλ Ηλίας
        Σταύρος Πέτρος Σωτήριος Στυλιανός Ελευθέριος Απόστολος Φώτιος Διονύσιος Γρηγόριος Άγγελος
        Ευστάθιος Παύλος Παρασκευάς Αριστείδης Στέφανος Λεωνίδας Κυριάκος Θωμάς Στέργιος Ευστράτιος
        Σταμάτιος Θεμιστοκλής Μάριος Ραφαήλ Αχιλλέας Οδυσσέας Περικλής Σάββας Λάμπρος Ιάσων Ορέστης
        Φίλιππος Μάρκος Άρης""",
    # Men's forms alone: those that women carry are left out.
    surnames="""
        Παπαδόπουλος Παπαδάκης Βλάχος Αγγελόπουλος Νικολαΐδης Γεωργίου Παπαγεωργίου Οικονόμου
        Παπανικολάου Βασιλείου Δημητρίου Ιωάννου Κωνσταντίνου Αντωνίου Χριστοδούλου Αθανασίου
        Καραγιάννης Μακρής Παππάς Σαμαράς Αλεξίου Νικολάου Χατζής Παναγιωτόπουλος Δημόπουλος
        Κωστόπουλος Μιχαηλίδης Ιωαννίδης Κωνσταντινίδης Θεοδωρίδης Σταυρόπουλος Παυλίδης Πετρίδης
        Καραμανλής Κοντός Μαυρίδης Διαμαντόπουλος Αναγνώστου Ρήγας Λάμπρου Μελάς Γαλάνης Ξενάκης
        Καλογερόπουλος Μπακάλης Σιδέρης Ψαράς Κουτσός Μαρκόπουλος Καραβάς Τσακίρης Ζαχαρίου Σπανός
        Δούκας Φραγκούλης Λιάπης Καψάλης Κυριακίδης Ραπτής Μυλωνάς Κεραμιδάς Χαλκιάς Γκίκας Μπότσαρης
        Τσάτσος Ζερβός Βαρδάκης Κόκκινος Άσπρος Μαύρος Καλαμαράς Τριανταφύλλου Ευσταθίου Σωτηρίου
        Αποστόλου Στεφάνου Φωτίου Χαραλάμπους Ευθυμίου Κυριαζής Μπαλάσκας Πολίτης Λυμπέρης Θωμόπουλος
        Δρόσος Γιαννακόπουλος Αυγερινός Ντόκος; Παπα + δημητρίου κωνσταντίνου ιωάννου βασιλείου
        θανασίου γιάννης στεργίου μιχαήλ; Χατζη Καρα + γεωργίου δημητρίου νικολάου μιχαήλ παναγιώτου
        στεφάνου αντωνίου πέτρου; Αγγελ Αθανασ Αλεξ Αναγνωστ Αναστασ Ανδρ Αντων Αποστολ Βασιλ Γεωργ
        Γιανν Δημητρ Ευαγγελ Θεοδωρ Θεοφιλ Ιωανν Καλλ Καραγιανν Κωνσταντιν Κωστ Λαμπρ Μανωλ Μαρκ Μαυρ
        Μιχαλ Νικολ Παναγ Παυλ Πετρ Σταυρ Σταθ Σταματ Στεφαν Σωτηρ Σπυρ Φιλιππ Φωτ Χαραλαμπ Χριστ Χρυσ
        Γρηγορ Διονυσ Ζαφειρ + όπουλος ίδης άκης άκος έλης άτος ούλης έας""",
    cities="""
        Αττική: Αθήνα 104_31 400 .9, Αθήνα 106_75 243 1.45, Πειραιάς 185_31 168 .95,
        Περιστέρι 121_31 133 .88, Αχαρνές 136_71 108 .78, Καλλιθέα 176_71 97 .98,
        Γλυφάδα 166_74 89 1.4, Νίκαια 184_50 85 .82, Μαρούσι 151_24 71 1.4, Κηφισιά 145_62 70 1.5;
        Κεντρική Μακεδονία: Θεσσαλονίκη 546_24 317 1.02, Καλαμαριά 551_31 92 1.2,
        Σέρρες 621_22 58 .82; Δυτική Ελλάδα: Πάτρα 262_21 170 .92; Κρήτη: Ηράκλειο 712_01 156 .95,
        Χανιά 731_31 54 1; Θεσσαλία: Λάρισα 412_22 148 .92, Βόλος 382_21 85 .92;
        Ήπειρος: Ιωάννινα 452_21 66 .95; Στερεά Ελλάδα: Χαλκίδα 341_32 64 .88, Λαμία 351_32 53 .88;
        Ανατολική Μακεδονία και Θράκη: Αλεξανδρούπολη 681_31 59 .92, Ξάνθη 671_31 57 .82,
        Καβάλα 653_02 52 .9; Πελοπόννησος: Καλαμάτα 241_31 58 .92, Κόρινθος 201_31 30 .92;
        Δυτική Μακεδονία: Κοζάνη 501_31 42 .95; Νότιο Αιγαίο: Ρόδος 851_31 50 1.08;
        Βόρειο Αιγαίο: Μυτιλήνη 811_31 29 .92; Ιόνια Νησιά: Κέρκυρα 491_31 32 .98""",
    streets="""
        Ερμού, Σταδίου, Πανεπιστημίου, Ακαδημίας, Βασιλίσσης Σοφίας, Λεωφόρος Αλεξάνδρας, Πατησίων,
        Αθηνάς, Αιόλου, Σόλωνος, Σκουφά, Τσιμισκή, Εγνατία, Αγίου Δημητρίου, Ελευθερίου Βενιζέλου,
        Κολοκοτρώνη, Καραϊσκάκη, Μακρυγιάννη, Μιαούλη, Κανάρη, Μπουμπουλίνας, Ρήγα Φεραίου,
        Παπαφλέσσα, Αγίου Κωνσταντίνου, Αγίου Νικολάου, Δημοκρατίας, Ειρήνης, Ομήρου, Σωκράτους,
        Πλάτωνος, Αριστοτέλους, Μεγάλου Αλεξάνδρου, Κύπρου, Σμύρνης, Εθνικής Αντιστάσεως, Φιλελλήνων""",
    number_first=False,
    calling_code="30",
    mobile_prefixes="690 693 694 695 697 698 699",
    landline_prefixes="210 211 213",
    subscriber_digits=7,
    mail_domains="grammata.example tachy.example epistoli.example kouti.example",
)
COUNTRIES: tuple[Country, ...] = (FRANCE, GERMANY, GREAT_BRITAIN, SPAIN, ITALY, POLAND, GREECE)
"""France first, where nearly all customers live."""

PLACEHOLDER_EMAILS: tuple[str, ...] = _words("""
    noemail@noemail.example test@test inconnu@inconnu.example pasdemail@pasdemail.example a@a
    client@magasin.example nomail@nomail aucun@aucun.example sansmail@sansmail.example x@x.example
    caisse@magasin.example xxx@xxx""")
PLACEHOLDER_PHONES: tuple[str, ...] = _words("""
    0000000000 0102030405 0600000000 0606060606 0612345678 0123456789 0100000000 0699999999
    9999999999""")
PLACEHOLDER_NAMES: tuple[tuple[str, str], ...] = (
    ("CLIENT", "CAISSE"),
    ("INCONNU", "INCONNU"),
    ("TEST", "TEST"),
    ("X", "X"),
    ("CLIENT", "DIVERS"),
    ("CLIENT", "PASSAGE"),
    ("ANONYME", "ANONYME"),
    ("NON", "COMMUNIQUE"),
    (".", "."),
    ("XXX", "XXX"),
)
"""Given name and surname, as typed at the till for someone who gives none."""

ADDRESS_FORMS: tuple[tuple[str, str], ...] = tuple(
    _pairs("""
    avenue:av. boulevard:bd place:pl. rue:r. chemin:ch. impasse:imp. allée:all. route:rte
    Faubourg:Fbg Saint:St Sainte:Ste Général:Gal Maréchal:Mal Notre-Dame:N.-D. straße:str. Straße:Str.
    Street:St Road:Rd Avenue:Ave Lane:Ln Calle:C/ Avenida:Avda. Plaza:Pza. Paseo:P.º Viale:V.le
    Corso:C.so Piazza:P.za Λεωφόρος:Λεωφ.""").items()
)
"""Long and short way to write a word of an address; the German ones are also ends of words."""
