"""Captions of scene kinds: `a <thing> <place phrase> [<time>]`."""

from __future__ import annotations

import random

from .catalogue import ALL_PLACES, FILLERS, SYNONYMS, THINGS, TIME_PHRASES, Kind

FILLER_SHARE = 0.15  # captions that get one or two meaningless words
THING_ONLY_SHARE = 0.05  # captions that name no place
SYNONYM_SHARE = 0.15  # captions that use another word for the thing
EMPTY_SHARE = 0.10  # captions dropped for classifier-free guidance


def article(word: str) -> str:
    return "an" if word[0] in "aeiou" and word not in ("unicorn", "ufo") else "a"


def plain_caption(kind: Kind, phrase: int = 0) -> str:
    """The caption without chance: first phrasing unless told otherwise, time named unless it is day."""
    place = ALL_PLACES[kind.place]
    words = [article(kind.thing_name), kind.thing_name, place.phrases[phrase % len(place.phrases)]]
    words.append(TIME_PHRASES[kind.time][0])
    return " ".join(word for word in words if word)


def random_caption(kind: Kind, rng: random.Random) -> tuple[str, bool]:
    """A caption for training, and whether it still names the whole kind (so that its posterior mean is known)."""
    fate = rng.random()
    if fate < EMPTY_SHARE:
        return "", False
    thing = kind.thing_name
    lead = rng.choice((f"{article(thing)} {thing}",) * 4 + (f"the {thing}", thing))
    if rng.random() < SYNONYM_SHARE:
        lead = rng.choice(SYNONYMS[thing])
    if fate < EMPTY_SHARE + THING_ONLY_SHARE:
        return lead, False
    words = f"{lead} {rng.choice(ALL_PLACES[kind.place].phrases)} {rng.choice(TIME_PHRASES[kind.time])}".split()
    if rng.random() < FILLER_SHARE:
        for _ in range(rng.choice((1, 2))):
            words.insert(rng.randint(0, len(words)), rng.choice(FILLERS))
    return " ".join(words), True


def corpus_words() -> list[str]:
    """Every word a caption can contain, in a fixed order."""
    seen: dict[str, None] = {}
    texts = ["a an the in on at under by"]
    texts += list(THINGS)
    texts += [word for words in SYNONYMS.values() for word in words]
    texts += [phrase for place in ALL_PLACES for phrase in place.phrases]
    texts += [phrase for phrases in TIME_PHRASES.values() for phrase in phrases]
    texts += list(FILLERS)
    for text in texts:
        for word in text.split():
            seen.setdefault(word)
    return list(seen)
