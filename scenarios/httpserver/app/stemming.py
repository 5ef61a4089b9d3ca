"""A light stemmer for English: enough to find "compiles" by "compiling"."""

import functools

# Longest first: the first that fits is taken off.
SUFFIXES = [
    ("ational", "ate"),
    ("ization", "ize"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("iveness", "ive"),
    ("ments", ""),
    ("ation", "ate"),
    ("ness", ""),
    ("ment", ""),
    ("ings", ""),
    ("ies", "y"),
    ("ing", ""),
    ("est", ""),
    ("ers", ""),
    ("ed", ""),
    ("es", ""),
    ("er", ""),
    ("ly", ""),
    ("s", ""),
    ("e", ""),
]
SHORTEST = 3


@functools.lru_cache(maxsize=4096)
def stem(word):
    """The part of a word that its forms share."""
    for suffix, replacement in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= SHORTEST:
            return _undouble(word[: len(word) - len(suffix)] + replacement)
    return word


def _undouble(word):
    """"stopp" (of "stopped") is "stop"; "miss" stays."""
    if len(word) > SHORTEST and word[-1] == word[-2] and word[-1] not in "aeiouls":
        return word[:-1]
    return word
