"""Words that are looked up in a list, and what is said of one that is not in it."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from npe_core.errors import UsageError

_NEAR = 0.5
"""How alike two words are at least, of 0 to 1, so that one may stand for the other."""


def hint(word: str, words: Collection[str], otherwise: str) -> str:
    """``Did you mean ...?`` with the nearest of the words, whatever their case, or ``otherwise`` where none is near."""
    lowered = {known.lower(): known for known in words}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=_NEAR)
    return f"Did you mean '{lowered[near[0]]}'?" if near else otherwise


def check(kind: str, word: str, words: Collection[str]) -> None:
    """Raises UsageError with the nearest of the words, if it is none of them."""
    if word not in words:
        otherwise = f"Choose from {', '.join(words)}."
        raise UsageError(f"There is no {kind} {word!r}. {hint(word, words, otherwise)}")
