"""Words that are looked up in a list, and what is said of one that is not in it."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from npe_core.errors import UsageError


def check(kind: str, word: str, words: Collection[str]) -> None:
    """Raises UsageError with the nearest of the words, if it is none of them."""
    if word not in words:
        near = difflib.get_close_matches(word, words, n=1, cutoff=0.4)
        hint = f"Did you mean '{near[0]}'?" if near else f"Choose from {', '.join(words)}."
        raise UsageError(f"There is no {kind} {word!r}. {hint}")
