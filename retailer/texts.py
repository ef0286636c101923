"""What customers say, in French: reviews, calls, chats and social comments.

Belongs here: the phrases and how a text is put together from them. Does not belong here: who says
it and when, and the truth file that labels every text as synthetic.

Phrases and words of the two splits are disjoint, so that a model which read the one has not seen
the sentences of the other. What is shared is the form (who speaks, and how a sloppy hand writes).
No text names a person, an address, or an order.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count, islice, product
from math import gcd, prod
from typing import Any, NamedTuple

KINDS = ("review", "call", "chat", "social")
TOPICS = (
    "late_delivery",
    "poor_product",
    "bad_advice",
    "price",
    "stock",
    "return_refund",
    "praise_staff",
    "praise_product",
    "order_question",
    "erasure_or_consent",
)
SPLITS = ("train", "evaluation")

# About how many texts of one kind, topic, satisfaction and split there are.
TEXTS = 240

Style = Callable[[str], str]
Levels = Mapping[int, tuple[str, ...]]


class Matter(NamedTuple):
    """How a topic is announced: a hashtag, what a caller names, what is asked and answered."""

    tag: str
    subject: str
    exchanges: Sequence[tuple[str, str]]


def _phrases(line: str) -> tuple[str, ...]:
    return tuple(line.split(" / "))


def _levels(block: str) -> Levels:
    """Lines of a satisfaction and its phrases, as phrases by satisfaction."""
    found: dict[int, tuple[str, ...]] = {}
    for line in block.strip().splitlines():
        level, _, said = line.strip().partition(" ")
        found[int(level)] = (*found.get(int(level), ()), *_phrases(said))
    return found


# A masculine noun, a feminine noun (both with a consonant first) and a long delay.
_WORDS = {
    "train": (
        ("canapé d'angle", "table basse", "dix jours"),
        ("barbecue à gaz", "tondeuse", "deux semaines"),
        ("robot pâtissier", "friteuse", "trois semaines"),
        ("vélo d'appartement", "trottinette", "plus d'un mois"),
        ("lit superposé", "bibliothèque", "deux mois"),
        ("taille-haie", "perceuse", "trois mois"),
        ("matelas gonflable", "tente familiale", "seize jours"),
        ("baby-foot", "lampe de salon", "vingt jours"),
    ),
    "evaluation": (
        ("fauteuil", "commode", "douze jours"),
        ("parasol déporté", "balancelle", "quinze jours"),
        ("grille-pain", "cafetière", "cinq semaines"),
        ("tapis de course", "table de ping-pong", "un mois et demi"),
        ("meuble télé", "chaise de bureau", "six semaines"),
        ("nettoyeur haute pression", "scie sauteuse", "trente jours"),
        ("réchaud de camping", "glacière", "quatre semaines"),
        ("billard de table", "lanterne de terrasse", "dix-huit jours"),
    ),
}

_TRAIN_CORES = {
    "late_delivery": """
    1 Commande annoncée sous 48 h, {d} plus tard toujours rien et personne ne répond, une honte.
    1 J'ai posé deux jours de congé pour attendre mon {m} et le livreur n'est jamais venu !
    1 {d} de retard pour une {f}, bravo, à pied vous seriez arrivés avant.
    1 Livraison reportée quatre fois sans un mot d'excuse, je n'ai jamais vu un tel mépris.
    2 Ma {f} est arrivée avec {d} de retard et il a fallu que je relance moi-même.
    2 Le suivi affiche « en cours » depuis {d}, ce n'est pas terrible comme information.
    2 Livraison en retard et créneau non respecté, le {m} a fini devant le portail sous la pluie.
    2 Délai pas tenu du tout, pour une livraison payante c'est décevant.
    3 Une petite semaine de retard pour mon {m}, mais il est arrivé entier.
    3 Livraison plus lente que prévu, rien de dramatique pour autant.
    3 Le livreur avait du retard, il n'a pas dit grand-chose, mais la {f} est là.
    3 Retard de quelques jours, on m'a prévenu la veille seulement, ça passe.
    4 Deux jours de retard, mais prévenu par SMS et livreur très aimable.
    4 La {f} est arrivée un peu après la date, cela dit tout y était et l'emballage était soigné.
    4 Léger retard du transporteur, heureusement bien rattrapé par le service client.
    4 Créneau décalé d'une demi-journée, sinon rien à redire sur la livraison de mon {m}.
    5 Je craignais un retard à cause de la neige, mon {m} est arrivé à l'heure dite, chapeau !
    5 Un seul jour de retard et le port m'a été remboursé sans que je demande, quelle classe.
    5 Le transporteur avait perdu ma {f}, vous en avez livré une autre dès le lendemain, fantastique !
    5 Malgré le retard, j'ai eu un appel, des excuses et un bon d'achat : difficile de faire mieux.
    """,
    "poor_product": """
    1 Le {m} s'est cassé au bout de trois utilisations, de la camelote vendue au prix fort.
    1 Ma {f} est arrivée fendue, rayée et sans notice, c'est se moquer du monde.
    1 Qualité lamentable, tout est à jeter, et c'est dangereux en plus.
    1 Superbe {m}, vraiment, surtout si on aime bricoler avec la moitié des vis.
    2 Les finitions du {m} ne sont pas à la hauteur, le plastique fait très bas de gamme.
    2 La {f} donne déjà des signes de fatigue, je ne la reprendrais pas.
    2 Il manquait deux pièces dans le carton et la couleur n'est pas celle de la photo, décevant.
    2 Produit fragile, pas terrible pour le prix, je le trouve mal conçu.
    3 La {f} fait le travail, même si elle paraît fragile.
    3 Ce {m} est correct, avec un petit défaut de peinture que j'ai fini par oublier.
    3 Qualité moyenne, solide d'un côté, mal fini de l'autre.
    3 Ce n'est pas du haut de gamme, mais pour un usage occasionnel cela suffit.
    4 Une petite rayure sur le {m}, sinon il est solide et agréable à utiliser.
    4 Une vis manquait, envoyée en deux jours, et la {f} me plaît bien.
    4 La notice est mauvaise mais le produit, une fois monté, est plutôt réussi.
    4 Petit défaut au déballage, vite réglé, j'en suis content maintenant.
    5 Le premier {m} avait un défaut, échangé le lendemain sans discuter, le nouveau est parfait !
    5 Ma {f} était abîmée, on m'en a apporté une neuve à la maison, service exemplaire.
    5 Pièce cassée à l'ouverture, reçue gratuitement en un jour : je suis épatée.
    5 J'avais peur de la qualité après les mauvais avis, et c'est une merveille de solidité !
    """,
    "bad_advice": """
    1 On m'a juré que ce {m} convenait, c'est totalement faux, et maintenant on refuse de le reprendre.
    1 Vendeur incompétent, ses conseils m'ont coûté une {f} inutilisable et un week-end gâché.
    1 Trois vendeurs, trois réponses, toutes fausses : on se fiche de nous.
    1 Merci pour le conseil d'expert, grâce à vous j'ai tout à refaire et à repayer.
    2 Le conseiller ne connaissait pas le {m}, il m'a lu l'étiquette, je sais lire aussi.
    2 On m'a mal orienté au rayon, je suis reparti avec une {f} qui ne me sert à rien.
    2 Conseil bâclé, le vendeur voulait surtout me placer une extension de garantie.
    2 Les explications étaient confuses et je me suis retrouvé avec le mauvais modèle, dommage.
    3 Le vendeur a hésité sur le {m}, j'ai fini par trouver la réponse seul.
    3 Des conseils un peu vagues, ni faux ni vraiment utiles.
    3 On m'a conseillé une {f} qui ne va pas vraiment, mais l'échange reste possible.
    3 Renseignements approximatifs au téléphone, un peu mieux en magasin.
    4 Premier conseil à côté de la plaque, vite rattrapé par un collègue compétent.
    4 On s'était trompé sur la référence du {m}, l'erreur a été corrigée avec le sourire.
    4 Un vendeur pas très sûr de lui, mais il s'est renseigné et la {f} convient bien.
    4 Il a fallu demander deux fois, la deuxième réponse était claire et juste.
    5 Mal conseillé au départ, mais le responsable a tout repris et m'a offert la bonne pièce, génial !
    5 On m'avait vendu la mauvaise {f}, l'équipe est venue l'échanger chez moi, incroyable !
    5 L'erreur de conseil sur mon {m} a été reconnue et réparée dans l'heure, bravo.
    5 Après un mauvais conseil, j'ai eu droit à une vraie experte, patiente et passionnante.
    """,
    "price": """
    1 Le {m} affiché en promo est passé au prix fort en caisse, c'est du vol.
    1 Trente pour cent moins cher partout ailleurs, vous prenez vos clients pour des pigeons.
    1 Fausse promotion, prix gonflé la veille des soldes, c'est une arnaque pure et simple.
    1 À ce prix-là, j'espère au moins que la {f} est plaquée or, quelle escroquerie.
    2 Trop cher pour ce que c'est, la {f} ne vaut pas la moitié.
    2 Le prix du {m} a baissé trois jours après mon achat et on me refuse la différence.
    2 Les frais de port ajoutés à la fin sont vraiment exagérés.
    2 La remise de fidélité n'a pas été appliquée, je suis assez agacé.
    3 Les prix sont dans la moyenne, ni bonne affaire ni mauvaise.
    3 Un peu cher, mais le {m} est correct.
    3 La {f} en promo valait le coup, le reste du magasin beaucoup moins.
    3 Prix honnête, livraison un peu chère, au final cela s'équilibre.
    4 Pas donné, mais le {m} vaut son prix.
    4 Bon rapport qualité-prix sur la {f}, même si le port reste un peu élevé.
    4 La promotion était réelle, j'aurais juste aimé qu'elle dure plus longtemps.
    4 Erreur de prix en caisse, remboursée aussitôt, et le tarif est intéressant.
    5 Un {m} de cette qualité à ce prix, je n'en reviens pas !
    5 Meilleur prix du marché, et on m'a en plus remboursé la différence avec un concurrent.
    5 J'ai payé ma {f} moitié prix pendant les soldes, une affaire en or.
    5 Imbattable, j'ai comparé pendant des semaines et vous êtes les moins chers, bravo !
    """,
    "stock": """
    1 Le site dit « disponible », j'ai fait 60 km et le rayon était vide, lamentable.
    1 Commande payée puis annulée {d} après pour rupture, et sans un mot, c'est scandaleux.
    1 On me promet ce {m} depuis {d}, il n'a jamais existé, vous mentez à vos clients.
    1 Bravo pour le stock fantôme, j'ai adoré visiter un rayon vide avec trois enfants.
    2 Ma {f} est en rupture depuis {d} et personne ne sait quand elle revient.
    2 Le {m} vu en ligne n'était pas en magasin, déplacement inutile.
    2 Le catalogue est rempli d'articles indisponibles, c'est lassant.
    2 On m'a réservé un article qui n'était plus là, pas sérieux.
    3 La {f} n'était pas en stock, on m'en a proposé une autre, moyenne.
    3 Il restait un seul {m}, celui d'exposition, je l'ai pris faute de mieux.
    3 Le choix est inégal, certains rayons pleins et d'autres vides.
    3 Rupture annoncée, puis retour en stock sans prévenir, bon, je l'ai eu.
    4 Pas disponible le jour même, mais mis de côté pour moi trois jours plus tard.
    4 Le {m} manquait ici, ils l'ont trouvé dans un autre magasin, plutôt pratique.
    4 Bon choix en rayon, il manquait juste le coloris que je voulais.
    4 L'alerte de retour en stock marche bien, j'ai eu ma {f} après une courte attente.
    5 Introuvable partout, et vous aviez mon {m} en stock, je suis comblé !
    5 Réservé en ligne, prêt en une heure, le stock affiché était exact, formidable.
    5 En rupture, la {f} d'exposition m'a été cédée à petit prix, quelle bonne surprise !
    5 Tout ce que je cherchais était là, dans toutes les tailles, du jamais vu.
    """,
    "return_refund": """
    1 {d} que j'attends mon remboursement, on me balade de service en service, des voleurs.
    1 Retour refusé alors que le {m} était neuf et emballé, c'est illégal et honteux.
    1 On a perdu mon retour et c'est à moi de prouver que je l'ai envoyé, je porte plainte.
    1 Félicitations, il est plus facile d'obtenir un prêt qu'un remboursement chez vous.
    2 Remboursé en bon d'achat au lieu d'argent, sans me demander mon avis.
    2 Il a fallu payer moi-même le renvoi de la {f}, ce n'était écrit nulle part.
    2 Procédure de retour compliquée, trois formulaires pour un {m}, je m'en serais passé.
    2 Le remboursement est arrivé très tard et il manque les frais de port.
    3 Retour accepté, remboursement un peu long mais complet.
    3 J'ai pu rendre la {f}, après une bonne heure de file.
    3 Le renvoi du {m} n'a pas posé de problème, l'étiquette a mis du temps.
    3 Échange fait, sans amabilité particulière mais sans histoire.
    4 Remboursement en une semaine, l'accueil au comptoir était agréable.
    4 Un peu de paperasse pour rendre le {m}, sinon c'est efficace.
    4 J'ai échangé ma {f} sans ticket, il a juste fallu patienter un peu.
    4 Retour simple, un mail de confirmation aurait été un plus.
    5 Remboursée le jour même sans une seule question, je suis conquise !
    5 Ils sont venus chercher le {m} à domicile et j'ai été payé dans l'heure, parfait.
    5 Retour de la {f} réglé en deux minutes avec un grand sourire, bravo.
    5 Même hors délai ils ont accepté l'échange, un vrai sens du client !
    """,
    "praise_staff": """
    1 Vendeur adorable, oui, il a souri tout le temps en me vendant un {m} invendable.
    1 Le personnel est gentil mais on le laisse seul face au désastre, je bous de colère.
    1 Une hôtesse polie ne suffit pas quand on vous vole {d} d'attente et votre argent.
    1 Bravo aux vendeurs, champions du monde de la pause café pendant qu'on attend.
    2 Le vendeur était charmant mais ne connaissait rien à la {f}.
    2 Personnel aimable, dommage qu'il soit impossible d'en trouver un de libre.
    2 La dame de l'accueil a fait ce qu'elle a pu, mon souci de {m} n'est pas réglé pour autant.
    2 De jolis sourires et aucune solution, je repars déçu.
    3 Vendeur sympathique, caisse interminable, je suis partagé.
    3 L'équipe est polie, sans se donner beaucoup de mal.
    3 Bon accueil au rayon, beaucoup moins quand j'ai posé des questions sur le {m}.
    3 Le livreur était serviable, le vendeur de la {f} plutôt froid.
    4 Personnel souriant et de bon conseil, juste un peu débordé.
    4 Une vendeuse efficace m'a aidé à choisir mon {m}, malgré l'affluence.
    4 Accueil agréable, on prend le temps de vous écouter.
    4 Le livreur de la {f} était soigneux, un peu en retard mais vraiment gentil.
    5 Une vendeuse en or, elle a passé une heure à m'aider pour mon {m} !
    5 Le livreur a monté la {f} au troisième étage avec le sourire, un amour.
    5 Équipe à l'écoute, compétente et drôle, on se sent attendu.
    5 Je n'ai jamais été aussi bien accueilli dans un magasin, merci à tous !
    """,
    "praise_product": """
    1 Très beau {m} sur la photo, quel talent, en vrai il est tombé en morceaux.
    1 J'adorais ma {f}, elle est morte au bout de {d}, et on me rit au nez.
    1 Produit génial pendant une heure, ensuite panne totale et aucun service, c'est une honte.
    1 Magnifique, je recommande à tous ceux que je déteste.
    2 Joli {m}, mais il vieillit très mal et je regrette mon achat.
    2 La {f} a du style, dommage qu'elle soit si peu pratique.
    2 Bonne idée, mauvaise réalisation, je m'en sers à peine.
    2 Le design est superbe, la solidité beaucoup moins, je suis déçue.
    3 Bon {m} dans l'ensemble, un peu encombrant à mon goût.
    3 La {f} est jolie, la mise en route m'a pris un après-midi entier.
    3 Produit convenable, conforme à la photo, sans surprise.
    3 Pratique et léger, mais je ne sais pas s'il tiendra deux ans.
    4 Très bon {m}, seul l'emballage laissait à désirer.
    4 La {f} est belle et solide, je suis content de mon choix, à un accessoire près.
    4 Pas mal du tout, je m'en sers chaque week-end.
    4 Produit fidèle à la description, quelques détails à améliorer.
    5 Ce {m} est une merveille, toute la famille se l'arrache !
    5 Ma {f} est magnifique, solide et facile à utiliser, je suis amoureuse.
    5 Qualité exceptionnelle, le meilleur achat de mon année.
    5 Rien à redire, c'est beau, c'est costaud, et les voisins sont jaloux !
    """,
    "order_question": """
    1 Cinq appels pour savoir où est ma commande et on me raccroche au nez, inadmissible.
    1 Personne ne sait où est passé mon {m}, ni le site, ni le magasin, ni le transporteur !
    1 {d} que je demande une simple facture, silence total, vous êtes en dessous de tout.
    1 Votre robot a répondu neuf fois à côté, quel progrès, je veux un humain.
    2 Ma question sur la commande de la {f} a reçu une réponse copiée-collée, inutile.
    2 Impossible de modifier ma commande une heure après, c'est rigide et énervant.
    2 Le numéro de suivi ne marche pas et il faut attendre vingt minutes au téléphone.
    2 On ne m'a pas dit quand mon {m} serait prêt, alors que j'ai demandé deux fois.
    3 Je voulais savoir si ma commande était partie, la réponse est venue au bout de deux jours.
    3 Est-ce que la {f} est livrée complète ? On m'a répondu « normalement oui ».
    3 Question sur la date de retrait du {m}, réponse correcte mais un peu sèche.
    3 J'ai demandé à changer de créneau, c'est possible, une fois seulement.
    4 J'avais un doute sur ma commande de {m}, on m'a renseigné assez vite.
    4 Le changement d'adresse de livraison s'est fait sans souci, après un peu d'attente.
    4 Ma question sur la {f} a trouvé une réponse claire au deuxième message.
    4 Suivi de commande bien fait, il manque juste l'heure de passage.
    5 Une question sur ma commande, une réponse complète en deux minutes, c'est rare !
    5 J'ai pu ajouter une {f} à ma commande par téléphone, un jeu d'enfant.
    5 On m'a rappelé pour vérifier le modèle du {m} avant l'envoi, quelle attention !
    5 Suivi limpide, message à chaque étape, je n'ai eu à m'inquiéter de rien.
    """,
    "erasure_or_consent": """
    1 J'ai demandé trois fois l'effacement de mes données et je reçois encore vos pubs, illégal.
    1 Je n'ai jamais donné mon accord pour vos SMS, je saisis l'autorité de contrôle.
    1 Vous avez vendu mes coordonnées, supprimez tout immédiatement, c'est révoltant.
    1 Un mail par jour sur le {m} que j'ai déjà, continuez, mon avocat adore lire.
    2 Le lien de désinscription ne fonctionne pas, c'est agaçant.
    2 Supprimer son compte relève du parcours du combattant, je ne suis pas rassurée.
    2 J'avais décoché la newsletter et elle revient tout de même, pas correct.
    2 Après {d}, mes données ne sont que partiellement effacées, c'est décevant.
    3 Je souhaite retirer mon accord pour la publicité, le formulaire est long mais il existe.
    3 Demande d'effacement prise en compte, je n'ai pas encore la confirmation.
    3 Moins de mails qu'avant depuis mon refus, il en reste quelques-uns.
    3 On m'a expliqué mes droits sur mes données, c'était un peu technique.
    4 Mes préférences de contact ont été changées, deux clics de trop mais ça marche.
    4 Données supprimées en une semaine, la confirmation était claire.
    4 J'ai retiré mon accord pour les SMS sans difficulté, un dernier est passé, puis plus rien.
    4 Bonne réponse à ma demande d'accès, un peu longue à venir.
    5 Demande de suppression traitée en une heure avec confirmation écrite, un modèle du genre !
    5 Enfin une enseigne qui respecte mon choix, plus une seule publicité depuis mon refus, bravo.
    5 On m'a tout expliqué sur mes données, avec patience et sans jargon, merci !
    5 Un clic, et mes réglages de confidentialité étaient à jour, c'est remarquable.
    """,
}

_EVALUATION_CORES = {
    "late_delivery": """
    1 Toujours pas reçu mon {m}, {d} d'attente et des mensonges à chaque relance.
    1 Le chauffeur a déclaré « client absent » alors que j'étais sur le pas de la porte, révoltant !
    1 La {f} devait arriver pour Noël, elle arrivera peut-être pour Pâques, félicitations.
    1 Aucun colis, aucune nouvelle, aucun respect : rendez-moi mon argent.
    2 Trop long, {d} pour recevoir une {f}, on m'avait promis cinq jours.
    2 Colis bloqué au dépôt sans que l'on m'avertisse, c'est pénible.
    2 J'ai patienté toute la matinée et le {m} n'a été déposé que le soir.
    2 Les dates changent sans arrêt, je ne fais plus confiance à vos délais.
    3 Colis arrivé en retard, mais en bon état, on fera avec.
    3 Le {m} a mis plus de temps que promis, l'attente restait supportable.
    3 Livraison tardive de la {f}, service poli, rien de plus à en dire.
    3 Quatre jours de trop, j'avais de la marge, donc sans conséquence.
    4 Un rien en retard, mais le chauffeur a appelé et a monté le {m} à l'étage.
    4 Colis attendu lundi, reçu mercredi, et franchement bien protégé.
    4 La date de la {f} a glissé, on me l'a expliqué gentiment, je n'en tiens pas rigueur.
    4 Petit contretemps côté camion, vite oublié grâce à une équipe sérieuse.
    5 Colis égaré par le dépôt, retrouvé et porté en main propre un samedi, quel dévouement !
    5 Je m'attendais à du retard en plein mois d'août, la {f} est venue avec deux jours d'avance !
    5 Panne de camion, et pourtant le {m} était chez moi le soir même, mille bravos.
    5 On m'a tenue au courant heure par heure, un retard aussi bien géré force l'admiration.
    """,
    "poor_product": """
    1 Acheté samedi, en panne dimanche : ce {m} est une vaste fumisterie.
    1 La {f} a lâché d'un coup, mon fils s'est blessé, vous jouez avec la sécurité des gens.
    1 Matériau immonde, odeur de solvant, direction la déchetterie.
    1 Quelle robustesse, cette {f} a résisté presque dix minutes.
    2 Le {m} est bancal, j'ai dû caler avec du carton.
    2 Les coutures lâchent, la peinture s'écaille, je regrette.
    2 Ma {f} n'a pas grand-chose à voir avec l'annonce, piètre qualité.
    2 Trous mal percés et bois tout tordu, le montage a été un calvaire.
    3 Le {m} a deux ou trois imperfections, rien d'empêchant.
    3 Pour l'entrée de gamme, la {f} se défend, sans briller.
    3 Solidité douteuse, esthétique agréable, je ne sais qu'en penser.
    3 Un coin était enfoncé, je l'ai gardé avec une petite remise.
    4 Un éclat sur le côté de la {f}, invisible une fois en place, j'aime bien.
    4 Le {m} a un peu de jeu, mais à l'usage c'est une bonne surprise.
    4 Carton abîmé, contenu intact, l'objet est bien pensé.
    4 Une roulette était défectueuse, remplacée rapidement, je suis plutôt satisfaite.
    5 Ma {f} présentait un accroc, remplacée par le modèle supérieur, je suis sans voix !
    5 Mon {m} m'a lâché, réparé en une heure par un technicien formidable.
    5 Défaut signalé le matin, produit neuf le soir, qui dit mieux ?
    5 On le disait de mauvaise facture, il a survécu à trois ados, un miracle de robustesse !
    """,
    "bad_advice": """
    1 Votre soi-disant spécialiste m'a fait acheter un {m} incompatible, et il nie tout, quel culot.
    1 Information fausse, chantier arrêté, des centaines d'euros perdus à cause de vous.
    1 J'ai suivi vos recommandations à la lettre, résultat la {f} est fichue, je suis écœuré.
    1 Superbe expertise, le vendeur confondait le mode d'emploi et le menu de la cantine.
    2 Le garçon du rayon a deviné plus qu'il n'a conseillé, et il a deviné mal.
    2 On m'a certifié que la {f} irait avec le reste, ce n'est pas le cas.
    2 Réponses évasives sur le {m}, j'aurais mieux fait de chercher seule.
    2 On pousse à la vente sans écouter le besoin, ça me laisse un goût amer.
    3 Sur le {m}, la moitié des indications était bonne.
    3 Avis du vendeur discutable, mais il a été honnête sur ses limites.
    3 La personne au bout du fil ne savait pas trop, elle a tout de même cherché.
    3 Pour la {f}, le conseil était standard, sans tenir compte de mes besoins.
    4 Le stagiaire s'est trompé de gamme, sa cheffe a tout remis d'aplomb avec gentillesse.
    4 Petite confusion sur les mesures de la {f}, réparée avant la livraison.
    4 La fiche du {m} était inexacte, mais au téléphone on m'a bien guidée.
    4 Conseil imparfait, volonté d'aider évidente, j'en garde une bonne impression.
    5 Un mauvais tuyau sur le {m}, puis des excuses et un remboursement intégral : respect total.
    5 Fausse route au début, et finalement le chef de rayon m'a dessiné tout le plan, un régal !
    5 Ils ont reconnu s'être trompés de {f} et m'ont livré la bonne le soir, magnifique.
    5 Après une indication erronée, on s'est plié en quatre pour moi, je suis émerveillé.
    """,
    "price": """
    1 Deux étiquettes différentes sur le même {m} et on me facture la plus haute, malhonnêtes !
    1 Vous avez doublé les tarifs en un an pour la même {f}, c'est indécent.
    1 Frais cachés à chaque étape, je me suis fait plumer.
    1 Une remise de 12 centimes, je ne sais comment vous remercier, bande de rapaces.
    2 Tarif surévalué, j'ai vu le même {m} bien meilleur marché en face.
    2 Le code de réduction est refusé sans explication, frustrant.
    2 On paie la marque, pas la {f}, j'ai l'impression d'avoir gaspillé.
    2 Le montage facturé en supplément, on ne l'apprend qu'à la fin, pas très honnête.
    3 Le tarif de la {f} se situe au milieu, comme le reste.
    3 Ni cadeau ni coup de massue, le {m} coûte ce qu'il coûte.
    3 Remise sympathique, mais limitée à trois références.
    3 C'est plus cher qu'en ligne, moins qu'en boutique spécialisée.
    4 Assez bon marché, et la {f} tient la route.
    4 J'ai trouvé le {m} à un tarif raisonnable, à part l'éco-participation.
    4 Le budget est un peu dépassé, mais on en a pour son argent.
    4 Les points de fidélité font vraiment baisser la note, dommage qu'ils expirent.
    5 Tarif dérisoire pour une {f} pareille, j'en ai pris deux !
    5 Le {m} de mes rêves enfin à ma portée, quelle aubaine !
    5 Ristourne surprise à la caisse, je suis sortie en dansant.
    5 Aucune autre enseigne ne propose une telle qualité pour si peu, foncez.
    """,
    "stock": """
    1 Vous encaissez pour un {m} que vous n'avez pas, cela s'appelle de la tromperie.
    1 Retrait confirmé par mail, et sur place on me dit qu'il n'y a rien, je suis fou de rage.
    1 Plus une seule {f} dans toute la région et on s'en moque éperdument.
    1 Rayon désert, vendeur absent, ambiance fin du monde, quel magnifique concept.
    2 Encore épuisé, ça fait {d} que j'attends le réassort du {m}.
    2 Quantités ridicules pour une offre nationale, tout était parti à dix heures.
    2 La {f} apparaît, disparaît, réapparaît sur le site, je ne m'y fie plus.
    2 Aucune pièce de rechange disponible, il faudrait tout racheter.
    3 Il y avait le {m}, mais pas les accessoires.
    3 Assortiment passable, j'ai trouvé une {f} approchante.
    3 Article épuisé dans ma ville, disponible à l'entrepôt, un détour acceptable.
    3 Les arrivages sont irréguliers, il faut passer au bon moment.
    4 Ma {f} était la dernière, un peu poussiéreuse, mais en parfait état.
    4 On m'a commandé le {m} exprès, dix minutes au comptoir et c'était fait.
    4 Large gamme, quelques trous en fin de saison, rien de gênant.
    4 Indisponible en ligne, trouvé en boutique grâce à un vendeur débrouillard.
    5 Le vendeur a fouillé la réserve et déniché le tout dernier {m}, mon héros !
    5 Rayons pleins, inventaire juste, retrait express, un vrai plaisir.
    5 La {f} épuisée partout en France m'attendait chez vous, youpi !
    5 Un réassort annoncé pour mardi et tenu à la minute, impressionnant.
    """,
    "return_refund": """
    1 J'ai rendu la {f} il y a {d} et vous gardez mon argent, je vais au tribunal.
    1 Le comptoir retours m'a traité de menteur devant tout le monde, ignoble.
    1 Garantie refusée pour un prétexte ridicule, votre parole ne vaut rien.
    1 Renvoyez le {m} à vos frais, disent-ils en riant, l'élégance à l'état pur.
    2 Avoir valable un mois seulement, on se sent piégé.
    2 J'ai dû traîner le {m} jusqu'au magasin, aucun enlèvement proposé.
    2 Quatre relances avant de revoir mes sous, ce n'est pas normal.
    2 On m'a décompté des frais de remise en rayon pour la {f}, mesquin.
    3 Le dossier de retour a traîné, puis s'est débloqué tout seul.
    3 Argent rendu à moitié tout de suite, l'autre moitié plus tard, soit.
    3 La {f} a été reprise, moins la livraison, c'était prévu au contrat.
    3 Pour le {m}, on m'a laissé choisir entre avoir et échange, pas le virement.
    4 Reprise du {m} acceptée sans chipoter, virement au bout de quelques jours.
    4 Borne de retour bien pratique, l'imprimante était en panne, mais on m'a dépanné.
    4 Rendre la {f} fut plus facile que de la choisir, un bon point.
    4 Bonne gestion de ma réclamation, un brin administrative.
    5 Virement reçu avant même que le {m} soit reparti, quelle confiance !
    5 Échange immédiat, mots d'excuse, café offert, je n'en demandais pas tant.
    5 La garantie a joué tout de suite et ma {f} est comme neuve, top du top.
    5 Retour gratuit, étiquette prête, argent le lendemain : un rêve.
    """,
    "praise_staff": """
    1 Le caissier s'est excusé dix fois, le pauvre, pendant que la direction se moque de nous.
    1 Conseiller exquis, voix de velours, il m'a annoncé la perte de mon {m} en chantonnant.
    1 Les employés sont courageux de travailler pour une boîte aussi détestable.
    1 Applaudissez l'équipe, {d} pour ne pas décrocher un téléphone, quelle performance.
    2 Jeune homme bien élevé, mais mon {m} reste inutilisable.
    2 Gentils, ça oui, efficaces, c'est une autre histoire.
    2 L'hôtesse voulait bien faire, elle n'avait le droit de rien, c'est navrant.
    2 La {f} a été livrée par un monsieur cordial, et livrée chez le voisin d'en face.
    3 Certains vendeurs sont passionnés, d'autres regardent ailleurs.
    3 Le démonstrateur du {m} connaissait son affaire, la conversation n'était pas son fort.
    3 Amabilité variable suivant l'heure, compétence suffisante.
    3 Pour la {f}, la vendeuse fut correcte, ni plus ni moins.
    4 Des gens serviables, on attend parfois, mais ça vaut la peine.
    4 Pour le {m}, technicien clair et courtois, je le reprendrais volontiers.
    4 Bonne équipe au rayon jardinage, il faudrait seulement être plus nombreux.
    4 La vendeuse m'a dissuadée d'une {f} trop chère, c'est honnête de sa part.
    5 Le monsieur du bricolage est une encyclopédie, grâce à lui mon {m} est réglé au millimètre !
    5 Humains, vifs, attentionnés : gardez précieusement ces employés.
    5 Ils ont porté la {f} jusqu'à ma voiture sous l'orage, des perles.
    5 Quelle gentillesse à la caisse, j'en suis ressortie le cœur léger !
    """,
    "praise_product": """
    1 Un {m} fantastique, il décore très bien ma poubelle.
    1 Belle allure, puis explosion de la batterie, plus jamais ça.
    1 Elle était splendide, ma {f}, les deux jours où elle a fonctionné, remboursez !
    1 Chef-d'œuvre de l'inutile, je félicite l'ingénieur et je réclame mon argent.
    2 La {f} est ravissante mais se raye rien qu'en la regardant.
    2 Le {m} partait bien, il a vite montré ses limites.
    2 J'aime la couleur, et c'est malheureusement tout ce que j'aime.
    2 Séduisant en vitrine, encombrant à la maison, achat regretté.
    3 Le {m} rend service, je n'en ferais pas la publicité.
    3 Jolie {f}, entretien pénible, les deux se compensent.
    3 Bien pour dépanner, insuffisant pour un usage intensif.
    3 L'objet tient ses promesses, sauf celle du confort.
    4 Un {m} bien conçu, à peine lourd à déplacer.
    4 J'apprécie beaucoup la {f}, le mode d'emploi mériterait une traduction.
    4 Belle matière, bonne tenue, on s'y fait vite.
    4 Ce n'est pas mauvais du tout, mes invités m'en demandent la marque.
    5 Le {m} a transformé nos dimanches, on l'adore !
    5 Coup de cœur absolu pour cette {f}, élégante et increvable.
    5 Au-delà de mes attentes, je rachèterais les yeux fermés.
    5 Impossible de m'en passer, chaque détail est une trouvaille !
    """,
    "order_question": """
    1 Je réclame une date depuis {d}, on me promène, vous êtes des incapables.
    1 Mon panier a été débité deux fois et nul ne daigne m'expliquer, c'est du brigandage.
    1 On me jure que le {m} est livré, il ne l'est pas, répondez enfin !
    1 Quarante minutes de musique d'attente, charmante, puis coupure, merci le service.
    2 Je demande où en est la {f}, on me renvoie vers une page d'aide vide.
    2 Facture introuvable dans l'espace client, trois clics et une erreur, pas au point.
    2 Réponses contradictoires sur la date du {m}, je n'y comprends plus rien.
    2 Annuler un article devrait être simple, ça ne l'est pas, je suis irrité.
    3 Renseignement obtenu pour la {f}, il a fallu reformuler.
    3 Peut-on regrouper deux colis ? Apparemment ça dépend de l'entrepôt.
    3 Pour le {m}, on m'a donné une fourchette de dates assez large.
    3 J'ai eu mon bon de retrait, avec un jour de décalage.
    4 On a retrouvé la trace de ma {f}, l'interlocuteur était calme et précis.
    4 Annulation partielle faite en ligne, le récapitulatif est arrivé plus tard.
    4 J'hésitais sur le mode de retrait du {m}, on m'a orientée utilement.
    4 L'application répond à presque tout, pour le reste on décroche assez vite.
    5 Le conseiller a tout vérifié, regroupé mes paquets et économisé le port, admirable !
    5 J'ai demandé à avancer la date du {m}, accordé sur-le-champ, quelle souplesse !
    5 Facture renvoyée pendant que je parlais encore, d'une efficacité folle.
    5 Pour la {f}, on a répondu à mes vingt questions sans jamais s'impatienter, merci merci.
    """,
    "erasure_or_consent": """
    1 Droit à l'oubli bafoué, mon compte fermé a été réouvert sans mon consentement, c'est un délit.
    1 Vos démarcheurs m'appellent le soir malgré mon opposition, cessez ce harcèlement.
    1 Je découvre mon profil publicitaire complet après l'avoir fait supprimer, je suis outrée.
    1 Cher service données, votre quarantième courriel « d'adieu » m'a beaucoup ému, assez !
    2 Le bouton « tout refuser » est planqué, ce n'est guère loyal.
    2 Je reçois toujours vos courriels sur la {f} malgré deux refus, lassée.
    2 On exige trop de justificatifs pour une simple fermeture de compte.
    2 Aucune preuve de l'effacement au bout de {d}, cela m'inquiète.
    3 La fermeture du compte est engagée, à voir si elle aboutit.
    3 Réglages des cookies compréhensibles, quoique nombreux.
    3 J'ai refusé le démarchage, on m'a dit que ce serait effectif le mois suivant.
    3 Pour effacer l'historique du {m}, il faut écrire, c'est faisable.
    4 Opposition au démarchage enregistrée, la personne était bien informée.
    4 Compte clôturé proprement, avec un léger délai légal, c'est rassurant.
    4 Je peux choisir mes newsletters une à une, dommage que ce soit au fond du menu.
    4 Copie de mes données reçue, lisible, il manquait juste un sommaire.
    5 Tout effacé le jour même, preuve à l'appui, voilà une maison sérieuse !
    5 Ma décision a été respectée sans qu'on essaie de me retenir, j'applaudis.
    5 La personne chargée des données m'a rappelée elle-même, limpide et délicate.
    5 Zéro pub, zéro appel depuis que je l'ai demandé, quel bonheur !
    """,
}

_CORES = {
    "train": {topic: _levels(block) for topic, block in _TRAIN_CORES.items()},
    "evaluation": {topic: _levels(block) for topic, block in _EVALUATION_CORES.items()},
}

# What is said around the core, by satisfaction; it fits every topic.
_TRAIN_VOICE = {
    "opening": """
    1 Quelle déception. / À fuir. / Je suis furieux. / Du grand n'importe quoi. / Zéro étoile.
    1 Incroyable mais vrai. / C'est la dernière fois.
    2 Je suis très déçu. / Pas terrible. / Franchement bof. / Expérience décevante.
    2 Je m'attendais à autre chose. / Un peu fâchée.
    3 Avis mitigé. / Ni bien ni mal. / Bilan partagé. / Correct sans plus. / Moyen. / Ça va.
    4 Dans l'ensemble satisfait. / Plutôt content. / Bonne expérience. / C'est pas mal du tout.
    4 Une bonne note. / Rien de grave.
    5 Un sans-faute. / Je suis ravie. / Génial ! / Que du bonheur. / Cinq étoiles méritées.
    5 Je suis très content. / Super !
    """,
    "closing": """
    1 Je ne commanderai plus jamais ici. / N'achetez rien chez eux. / Honteux. / C'est la goutte d'eau.
    1 Une association de consommateurs sera prévenue. / Vous m'avez perdu comme client.
    2 Je réfléchirai avant de revenir. / Dommage. / Je ne suis pas content. / À améliorer d'urgence.
    2 Je n'y retournerai pas de sitôt. / Pas top.
    3 Je verrai la prochaine fois. / Sans plus. / Trois sur cinq. / Je ne suis ni déçu ni emballé.
    3 Peut mieux faire. / À vous de voir.
    4 Je reviendrai sûrement. / Merci quand même. / Encore un petit effort et ce sera parfait.
    4 Je conseille. / Bien joué. / Pas déçu.
    5 Je recommande à tout le monde ! / Merci pour tout. / Continuez comme ça ! / Client fidèle à vie.
    5 Je n'ai que des compliments. / J'en parle à toutes mes amies.
    """,
    "outcome": """
    1 Je comprends, mais je ne peux rien faire de plus à mon niveau.
    1 Il faudra refaire une demande par courrier, je regrette.
    1 Mon responsable est absent, rappelez la semaine prochaine.
    2 Je transmets votre dossier, sans pouvoir vous donner de délai.
    2 Je ne peux vous proposer qu'un petit bon d'achat.
    2 Je vois bien le souci, mais la procédure prendra du temps.
    3 Je relance le service concerné, vous aurez une réponse sous trois jours.
    3 C'est noté, je vérifie ce point et on vous écrit.
    3 Je peux ouvrir un dossier, il sera lu dans la semaine.
    4 Merci de votre retour, je complète votre dossier tout de suite.
    4 C'est enregistré, vous n'avez plus rien à faire.
    4 Je m'occupe du petit détail qui reste, ce sera fait ce soir.
    5 Merci infiniment, je transmets vos mots à toute l'équipe.
    5 Cela nous fait très plaisir, merci d'avoir pris le temps.
    5 Voilà qui va égayer la réunion de demain, merci à vous.
    """,
    "quick": """
    1 je ne peux rien faire ici / il faut écrire au siège / je n'ai pas accès à ce dossier
    2 je transmets, sans garantie / le délai n'est pas connu / je vous propose un petit avoir
    3 je vérifie et on vous écrit / réponse sous trois jours / je laisse une note au dossier
    4 c'est enregistré / je règle le dernier détail / dossier complété
    5 merci, je le dis à l'équipe / quel plaisir de lire ça / c'est très gentil
    """,
    "reply": """
    1 Vous vous moquez de moi, j'annule tout. / C'est scandaleux, je veux parler à un responsable.
    1 Vous ne servez à rien. / Je vous préviens, cela finira en justice.
    2 Ça ne m'arrange pas du tout. / Je ne suis pas satisfait de cette réponse.
    2 C'est toujours pareil avec vous. / Bon, je suis déçue, mais je note.
    3 D'accord, j'attends de voir. / Bon, très bien. / Admettons, merci. / Ok, on verra.
    4 Très bien, merci de votre aide. / C'est gentil, cela me va. / Parfait pour moi, merci.
    4 Merci, c'est plutôt rassurant.
    5 C'est moi qui vous remercie, vous êtes formidables ! / Merci beaucoup, ne changez rien !
    5 Je suis vraiment enchanté. / Vous avez gagné un client fidèle !
    """,
    "tag": """
    1 #arnaque / #plusjamais / #honteux / #boycott
    2 #déception / #bof / #paglop / #peutmieuxfaire
    3 #mitigé / #sansplus / #moyen / #onverra
    4 #satisfait / #pasmal / #bonplan / #merci
    5 #bravo / #jadore / #coupdecoeur / #parfait
    """,
    "emoji": """
    1 😡 / 🤬 / 👎
    2 😞 / 🙄 / 😕
    3 😐 / 🤷 / 😶
    4 🙂 / 👍 / 😊
    5 😍 / 🤩 / 🎉
    """,
}

_EVALUATION_VOICE = {
    "opening": """
    1 Une catastrophe. / Je suis hors de moi. / Fuyez ! / Scandaleux. / Jamais vu ça.
    1 La pire enseigne que je connaisse. / Ras le bol.
    2 Pas convaincu du tout. / Plutôt mécontente. / Bof bof. / C'est loin d'être parfait.
    2 Une mauvaise surprise. / Pas génial.
    3 Du bon et du moins bon. / Je reste sur ma réserve. / Passable. / Entre les deux.
    3 En demi-teinte. / Pas de quoi sauter au plafond, ni se plaindre.
    4 Globalement positif. / Assez contente. / Y a pas à se plaindre. / Bon souvenir.
    4 Ça s'est bien passé. / Content malgré un détail.
    5 Parfait de bout en bout. / Au top ! / Je suis aux anges. / Excellent. / Wahou !
    5 Franchement, rien à dire, tout est bien. / Merci mille fois !
    """,
    "closing": """
    1 Allez voir ailleurs. / Terminé pour moi. / Vous devriez avoir honte. / Tout le quartier le saura.
    1 Je ne décolère pas. / On n'est pas près de me revoir.
    2 J'irai voir la concurrence. / Ça ne donne pas envie. / Je reste sur ma faim. / Deux sur cinq.
    2 Il y a du travail. / Ce n'est pas ce que j'appelle un service.
    3 Bilan neutre. / Je ne déconseille pas, je ne conseille pas non plus. / Ça ira.
    3 Bref, la moyenne. / On a vu pire, on a vu mieux. / Rien de spécial.
    4 On y retournera. / Un bon magasin. / J'enlève une étoile pour la forme. / Ça mérite un merci.
    4 À recommander, à un détail près. / Bonne adresse.
    5 Foncez ! / Longue vie à cette enseigne. / On se sent choyé. / Je reviens dès que possible !
    5 Rien à ajouter, c'est impeccable. / Vous êtes les meilleurs !
    """,
    "outcome": """
    1 Hélas, le système ne me laisse pas intervenir.
    1 C'est le règlement, madame, monsieur, je n'y peux rien.
    1 Aucune solution n'est prévue pour votre cas.
    2 Tout ce que je peux faire, c'est le signaler à qui de droit.
    2 Le geste commercial sera symbolique, autant vous le dire.
    2 Patientez encore, nous n'avons pas de visibilité.
    3 Je l'inscris au registre, un collègue prendra le relais.
    3 Une vérification est lancée, comptez quelques jours.
    3 Nous allons examiner cela et vous tenir informé.
    4 Je rectifie cette bricole pendant que nous parlons.
    4 Votre remarque est utile, elle sera suivie.
    4 Tout est en ordre de notre côté, il n'y aura pas d'autre démarche.
    5 Vos compliments seront affichés en salle de repos, promis.
    5 Oh, c'est adorable, on n'entend pas ça tous les jours.
    5 Quelle belle nouvelle, je le fais savoir à mes collègues.
    """,
    "quick": """
    1 le règlement l'interdit / aucune solution à ce jour / ce n'est pas de mon ressort
    2 je signale, rien n'est promis / il faut patienter / un geste symbolique, au mieux
    3 vérification lancée / un collègue reprendra / on vous tient informé
    4 je corrige cette bricole / tout est en ordre / remarque bien notée
    5 oh, adorable / ça me touche beaucoup / je fais passer aux collègues
    """,
    "reply": """
    1 Incapables, je raccroche et je fais opposition ! / Alors à quoi bon vous joindre, c'est minable.
    1 Je vais raconter cela partout. / J'exige mon argent, tout de suite !
    2 Franchement, je comptais sur mieux. / Encore attendre, ça devient pénible.
    2 Votre réponse ne m'aide guère. / Je vais devoir m'en contenter, hélas.
    3 Entendu, je patiente. / Mouais, faisons comme ça. / Soit, tenez-moi informé. / C'est noté.
    4 Impeccable, bonne continuation. / Super, ça me convient. / Voilà une réponse nette, merci bien.
    4 Bon, eh bien, je suis rassurée.
    5 Vous êtes en or, vraiment ! / Mille mercis, quelle équipe ! / Je vous embrasserais !
    5 Jamais je n'ai été aussi bien traitée !
    """,
    "tag": """
    1 #scandale / #fuyez / #raslebol / #escrocs
    2 #déçue / #nul / #pasfan / #aéviter
    3 #tiède / #coucicouça / #neutre / #àvoir
    4 #contente / #validé / #cool / #bonneadresse
    5 #autop / #heureuse / #merveille / #chapeau
    """,
    "emoji": """
    1 😤 / 💩 / 💢
    2 😒 / 😔 / 🥱
    3 😑 / 🤔 / ⚖️
    4 😌 / 👌 / 😉
    5 🥰 / ❤️ / 🌟
    """,
}

_VOICES = {
    "train": {part: _levels(block) for part, block in _TRAIN_VOICE.items()},
    "evaluation": {part: _levels(block) for part, block in _EVALUATION_VOICE.items()},
}

# What is said whatever the topic and satisfaction.
_FRAMES = {
    "train": {
        "greeting": _phrases(
            "Service client, bonjour, que puis-je faire pour vous ? / "
            "Bonjour et bienvenue au service client, je vous écoute. / "
            "Merci d'avoir patienté, service client, bonjour."
        ),
        "intro": _phrases("Bonjour, j'appelle / Oui bonjour, je vous rappelle / Bonjour, c'est"),
        "farewell": _phrases("Je vous souhaite une bonne journée. / Merci de votre appel."),
        "hello": _phrases("slt, / bonjour, / bjr, / coucou,"),
        "hold": _phrases("bonjour, je regarde votre dossier / bonjour, un instant svp"),
    },
    "evaluation": {
        "greeting": _phrases(
            "Votre magasin à l'appareil, en quoi puis-je vous aider ? / "
            "Relation clientèle, bonjour à vous. / "
            "Bonjour, vous êtes bien au service après-vente du magasin."
        ),
        "intro": _phrases(
            "Allô, je téléphone / Bonjour, voilà, je reviens vers vous / Oui, allô, je me permets d'appeler"
        ),
        "farewell": _phrases("Bonne fin de journée à vous. / Au revoir, à bientôt."),
        "hello": _phrases("hello, / salut, / bonsoir, / re bonjour,"),
        "hold": _phrases("bienvenue sur le chat, je vous lis / bonsoir, laissez-moi voir"),
    },
}

# Topic, hashtag, and what a caller names; then, indented, what is asked and answered.
_TRAIN_MATTERS = """
late_delivery | #livraison | au sujet d'une livraison.
    Était-ce une livraison à domicile ? | Oui, à la maison.
    Avez-vous gardé le mail d'expédition ? | Oui, je l'ai gardé.
poor_product | #qualité | au sujet de l'état d'un article.
    L'avez-vous encore chez vous ? | Oui, il est devant moi.
    Pouvez-vous joindre une photo ? | Je peux vous en envoyer une.
bad_advice | #conseil | au sujet d'un conseil de vos vendeurs.
    Aviez-vous décrit votre projet ? | Oui, en détail.
    C'était lors d'une première visite ? | Non, je connais bien le magasin.
price | #prix | au sujet d'un prix.
    Avez-vous le ticket sous les yeux ? | Oui, je l'ai là.
    Avez-vous la carte de fidélité ? | Oui, depuis longtemps.
stock | #stock | au sujet de la disponibilité d'un article.
    Dans quel rayon cherchiez-vous ? | Côté maison et loisirs.
    Était-ce un achat prévu ? | Oui, je l'avais préparé.
return_refund | #remboursement | au sujet d'un retour.
    Aviez-vous payé par carte ? | Oui, par carte.
    L'article était-il complet ? | Complet, avec la notice.
praise_staff | #équipe | au sujet de votre personnel.
    C'était lors d'une visite récente ? | Oui, cette semaine.
    Souhaitez-vous que je le note ? | Oui, notez-le bien.
praise_product | #produit | pour donner mon avis sur un achat.
    L'achat est-il récent ? | Assez récent, oui.
    Aviez-vous lu les avis avant ? | Oui, quelques-uns.
order_question | #commande | au sujet d'une commande.
    Était-elle passée sur le site ? | Oui, sur le site.
    Aviez-vous écrit avant d'appeler ? | Oui, par le formulaire.
erasure_or_consent | #rgpd | au sujet de mes données.
    Avez-vous gardé une trace de la demande ? | Oui, j'ai une copie.
    Aviez-vous un compte chez nous ? | Oui, un compte en ligne.
"""

_EVALUATION_MATTERS = """
late_delivery | #colis | à propos d'un colis.
    Le paquet partait-il de l'entrepôt ? | Je crois bien.
    Habitez-vous en immeuble ? | Non, une maison avec portail.
poor_product | #sav | à propos d'un objet venant de chez vous.
    Est-il encore sous garantie ? | Évidemment, il est neuf.
    Qui s'est chargé du montage ? | Moi, en suivant les étapes.
bad_advice | #vendeurs | à propos d'une recommandation qu'on m'a faite.
    Qui vous avait renseigné ? | Quelqu'un de chez vous.
    Est-ce que cela date ? | D'il y a peu.
price | #tarif | à propos d'un tarif.
    Vous aviez comparé auparavant ? | J'ai regardé un peu partout.
    Était-ce durant une opération spéciale ? | Il me semble, d'après l'affiche.
stock | #réassort | à propos d'un article que je cherchais.
    Aviez-vous consulté l'application ? | Bien sûr, avant de venir.
    Une variante pourrait-elle convenir ? | C'est celui-ci que je voulais.
return_refund | #échange | à propos d'un article rendu.
    Avez-vous le justificatif ? | Il est dans mon sac.
    Quel motif aviez-vous coché ? | « Ne convient pas ».
praise_staff | #accueil | à propos de vos collègues.
    Parlez-vous du magasin du centre ? | Celui-là même.
    Puis-je transmettre au directeur ? | J'y compte.
praise_product | #trouvaille | pour vous parler d'un de vos modèles.
    Était-ce un cadeau ? | Un cadeau pour moi-même.
    D'autres en ont profité ? | Mes voisins l'ont vu aussi.
order_question | #suivi | à propos d'un achat en ligne.
    Votre achat était-il réglé ? | Entièrement réglé.
    Par quel biais nous aviez-vous joints ? | Par tous les moyens possibles.
erasure_or_consent | #vieprivée | à propos de ma vie privée.
    Est-ce votre première démarche ? | J'avais déjà écrit.
    Connaissez-vous notre charte ? | Je l'ai parcourue.
"""


def _matters(block: str) -> dict[str, Matter]:
    found: dict[str, Matter] = {}
    exchanges: list[tuple[str, str]] = []
    for line in block.strip().splitlines():
        parts = line.strip().split(" | ")
        if len(parts) == 2:
            exchanges.append((parts[0], parts[1]))
            continue
        exchanges = []
        found[parts[0]] = Matter(parts[1], parts[2], exchanges)
    return found


_MATTERS = {"train": _matters(_TRAIN_MATTERS), "evaluation": _matters(_EVALUATION_MATTERS)}

# How a hurried hand writes, in the order of application, on lower case without accents.
_SHORTHAND = (
    (r"\bje n'", "j'"),
    (r"\bn'(?!importe|est-ce)", ""),
    (r"\bne (?=\w)", ""),
    (r"\bj'(?=[aeiouh])", "j"),
    (r"\bje (?=[bcdfgjlmprstv])", "j"),
    (r"\bc'est\b", "c"),
    (r"\bbeaucoup\b", "bcp"),
    (r"\btoujours\b", "tjs"),
    (r"\bvous\b", "vs"),
    (r"\bpour\b", "pr"),
    (r"\bparce que\b", "pcq"),
    (r"\bquand\b", "qd"),
    (r"\bavec\b", "ac"),
    (r"\bmaintenant\b", "mtn"),
    (r"\bquelque chose\b", "qqch"),
    (r"\bprobleme\b", "pb"),
    (r"[.,](?= |$)", ""),
)
_MISSPELT = (
    (r"\bça\b", "sa"),
    (r"\ba été\b", "à été"),
    (r"accueil", "acceuil"),
    (r"magasin", "magazin"),
    (r"rembours", "rembourss"),
    (r"(?<=\bai )([a-z]+)é\b", r"\1er"),
    (r"(?<=\ba )([a-z]+[^é])é\b", r"\1er"),
    (r"onn", "on"),
    (r"mm", "m"),
    (r"rr", "r"),
    (r"tt", "t"),
)


def _plain(text: str) -> str:
    return text


def _bare(text: str) -> str:
    """Without accents, as on a keyboard that has none."""
    apart = unicodedata.normalize("NFD", text.replace("œ", "oe"))
    return "".join(sign for sign in apart if unicodedata.category(sign) != "Mn")


def _replaced(text: str, rules: Sequence[tuple[str, str]]) -> str:
    for pattern, instead in rules:
        text = re.sub(pattern, instead, text)
    return text


def _hurried(text: str) -> str:
    return _replaced(_bare(text.lower()), _SHORTHAND)


def _misspelt(text: str) -> str:
    return _replaced(text, _MISSPELT)


def _careless(text: str) -> str:
    return _misspelt(text.lower())


_CALM: tuple[Style, ...] = (_plain, _plain, _plain, _bare, _hurried, _misspelt, str.lower)
_LOUD: tuple[Style, ...] = (_plain, _plain, _plain, _bare, _hurried, _misspelt, str.upper)
_CHATTING: tuple[Style, ...] = (str.lower, _careless, _bare, _hurried)
_POSTING: tuple[Style, ...] = (_plain, _plain, _bare, str.lower)


class _Said(NamedTuple):
    """All there is to say on one topic with one satisfaction, in one split."""

    cores: tuple[str, ...]
    words: tuple[tuple[str, str, str], ...]
    voice: Mapping[str, tuple[str, ...]]
    frames: Mapping[str, tuple[str, ...]]
    matter: Matter
    loud: bool


def _said(topic: str, satisfaction: int, split: str) -> _Said:
    return _Said(
        cores=_CORES[split][topic][satisfaction],
        words=_WORDS[split],
        voice={part: levels[satisfaction] for part, levels in _VOICES[split].items()},
        frames=_FRAMES[split],
        matter=_MATTERS[split][topic],
        loud=satisfaction in (1, 5),
    )


def _thinned(*parts: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """About `TEXTS` of all combinations; the stride has no factor of theirs, so all parts vary."""
    size = prod(len(part) for part in parts)
    stride = next(step for step in count(max(1, size // TEXTS)) if gcd(step, size) == 1)
    return islice(product(*parts), 0, None, stride)


def _filled(core: str, words: tuple[str, str, str]) -> str:
    masculine, feminine, delay = words
    text = core.format(m=masculine, f=feminine, d=delay)
    return text[0].upper() + text[1:]


def _reviews(said: _Said) -> Iterator[str]:
    openings = ("", *said.voice["opening"])
    closings = ("", *said.voice["closing"])
    emojis = ("", "", "", *said.voice["emoji"])
    styles = _LOUD if said.loud else _CALM
    parts = _thinned(openings, said.cores, closings, said.words, emojis, styles)
    for opening, core, closing, words, emoji, style in parts:
        text = " ".join(filter(None, (opening, _filled(core, words), closing)))
        yield f"{style(text)} {emoji}".rstrip()


def _calls(said: _Said) -> Iterator[str]:
    frames, voice = said.frames, said.voice
    exchanges = (None, *said.matter.exchanges)
    parts = _thinned(
        frames["greeting"],
        said.cores,
        voice["reply"],
        exchanges,
        frames["intro"],
        voice["outcome"],
        said.words,
        ("", *frames["farewell"]),
    )
    for greeting, core, reply, exchange, intro, outcome, words, farewell in parts:
        problem = f"{intro} {said.matter.subject} {_filled(core, words)}"
        turns = [greeting, problem, *(exchange or ()), outcome, reply, *filter(None, (farewell,))]
        yield _spoken(turns, ("Conseiller", "Client"))


def _spoken(turns: Sequence[str], speakers: tuple[str, str]) -> str:
    return "\n".join(f"{speakers[at % 2]} : {turn}" for at, turn in enumerate(turns))


def _chats(said: _Said) -> Iterator[str]:
    frames, voice = said.frames, said.voice
    parts = _thinned(
        frames["hello"],
        said.cores,
        voice["reply"],
        frames["hold"],
        voice["quick"],
        said.words,
        (*voice["opening"], ""),
        _CHATTING,
    )
    for hello, core, reply, hold, quick, words, opening, style in parts:
        complaint = f"{hello} {_filled(core, words)}".lower().rstrip(".")
        middle = (hold, opening.lower().rstrip("."), quick) if opening else (quick,)
        turns = [complaint, *middle, reply.lower().rstrip(".")]
        written = [style(turn) if at % 2 == 0 else turn for at, turn in enumerate(turns)]
        yield _spoken(written, ("client", "conseiller"))


def _comments(said: _Said) -> Iterator[str]:
    voice, about = said.voice, said.matter.tag
    openings, emojis, tags = ("", *voice["opening"]), ("", *voice["emoji"]), ("", *voice["tag"])
    parts = _thinned(openings, said.cores, tags, said.words, emojis, ("", "", about), _POSTING)
    for opening, core, tag, words, emoji, topic_tag, style in parts:
        text = " ".join(filter(None, (opening, _filled(core, words))))
        marks = " ".join(filter(None, (emoji, topic_tag, tag))) or about
        yield f"{style(text)} {marks}"


_COMPOSERS: Mapping[str, Callable[[_Said], Iterator[str]]] = {
    "review": _reviews,
    "call": _calls,
    "chat": _chats,
    "social": _comments,
}


@cache
def texts(kind: str, topic: str, satisfaction: int, split: str) -> tuple[str, ...]:
    """What customers say: between 120 and 400 different texts, the same at every call.

    Args:
        kind: one of `KINDS`.
        topic: one of `TOPICS`.
        satisfaction: from 1, furious, to 5, delighted.
        split: one of `SPLITS`; no text and no phrase of a customer or adviser is in both.

    Raises:
        KeyError: for a kind, topic, satisfaction or split that does not exist.
    """
    return tuple(dict.fromkeys(_COMPOSERS[kind](_said(topic, satisfaction, split))))
