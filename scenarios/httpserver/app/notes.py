"""Notes in memory, and a search over them."""

import dataclasses
import datetime
import re
from collections import defaultdict

import stemming

EXAMPLES = [
    ("Bytecode", "Python compiles a module when it is imported and caches the result in a pyc."),
    ("Prefix", "PYTHONPYCACHEPREFIX moves the cache of every module into a folder of its own."),
    ("Permissions", "A service that cannot write to its source compiles it at every start."),
    ("Deployment", "Compiling at deployment makes every start a warm one."),
]


@dataclasses.dataclass(frozen=True)
class Note:
    """One note."""

    number: int
    title: str
    text: str
    written: datetime.date

    def as_dict(self):
        return {**dataclasses.asdict(self), "written": self.written.isoformat()}


class Book:
    """Notes by number, and an index of their words' stems."""

    def __init__(self):
        self._notes = {}
        self._index = defaultdict(set)

    @classmethod
    def with_examples(cls):
        book = cls()
        for title, text in EXAMPLES:
            book.add(title, text, datetime.date(2024, 1, 1))
        return book

    def add(self, title, text, written):
        note = Note(len(self._notes) + 1, title, text, written)
        self._notes[note.number] = note
        for word in re.findall(r"\w+", f"{title} {text}".lower()):
            self._index[stemming.stem(word)].add(note.number)
        return note

    def get(self, number):
        return self._notes.get(number)

    def all(self):
        return list(self._notes.values())

    def search(self, words):
        """The notes that have all of the words, in some form, in the order of their numbers."""
        hits = [self._index.get(stemming.stem(word.lower()), set()) for word in words]
        numbers = set.intersection(*hits) if hits else set()
        return [self._notes[number] for number in sorted(numbers)]
