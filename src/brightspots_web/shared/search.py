"""Finding rows by their words, on SQLite and on PostgreSQL, behind one interface.

SQLite has FTS5 and PostgreSQL has tsvector. Both get the same words: we cut them here, in lower
case and without accents, so that neither's own rules for a language come in and both find the same.
A word is found by its beginning; the first part of a text weighs more than the second, and that
more than the third. The table is made by a migration of the app that keeps its words in it.

Limits: a language written without spaces between words is found by the beginning of a sentence
only, and there are no stems beyond what the beginning of a word gives.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models.expressions import RawSQL

MOST_WORDS = 12
"""So many words of a question are looked for; more is a text pasted in."""
LONGEST_WORD = 80
MOST_FOUND = 500
LAST_PLACE = 16383
"""PostgreSQL counts places in a text no further."""

Parts = tuple[str, str, str]
"""A row's text in three parts, from the heaviest to the lightest."""


def words_of(text: str) -> list[str]:
    """The words of a text as both databases hold them: `Élèves' plan` -> `eleves`, `plan`."""
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)
    ).casefold()
    cut = "".join(each if each.isalnum() else " " for each in plain).split()
    return [word[:LONGEST_WORD] for word in cut]


@dataclass(frozen=True)
class Index:
    """The words of one kind of row; `table` and `columns` are constants of the code."""

    table: str
    columns: tuple[str, str, str]

    def keep(self, key: int, parts: Parts) -> None:
        """Put a row's words in step with it; inside the transaction that changes the row."""
        words = [words_of(part) for part in parts]
        self.forget(key)
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    f"INSERT INTO {self.table} (rowid, words) VALUES (%s, %s::tsvector)",  # noqa: S608 - a constant
                    [key, _tsvector(words)],
                )
            else:
                names = ", ".join(self.columns)
                cursor.execute(
                    f"INSERT INTO {self.table} (rowid, {names}) VALUES (%s, %s, %s, %s)",  # noqa: S608 - constants
                    [key, *(" ".join(part) for part in words)],
                )

    def forget(self, key: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.table} WHERE rowid = %s", [key])  # noqa: S608 - a constant

    @transaction.atomic
    def rebuild(self, rows: Iterable[tuple[int, Parts]]) -> int:
        """Forget all words and keep those of these rows; gives how many there are."""
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.table}")  # noqa: S608 - a constant
        count = 0
        for key, parts in rows:
            self.keep(key, parts)
            count += 1
        return count

    def find(self, question: str, *, every: bool = True) -> list[int]:
        """Keys of the rows whose words begin as the question's do, the best first.

        Parameters
        ----------
        question
            As a person typed it: nothing in it is an operator.
        every
            Whether all of its words are to be there, or any.
        """
        query = _query(question, every)
        if not query:
            return []
        if connection.vendor == "postgresql":
            statement = (
                f"SELECT rowid FROM {self.table} WHERE words @@ %s::tsquery "  # noqa: S608 - a constant
                "ORDER BY ts_rank('{0, 0.1, 0.4, 1}', words, %s::tsquery) DESC, rowid LIMIT %s"
            )
            values: list[str | int] = [query, query, MOST_FOUND]
        else:
            statement = (
                f"SELECT rowid FROM {self.table} WHERE {self.table} MATCH %s "  # noqa: S608 - a constant
                f"ORDER BY bm25({self.table}, 1000.0, 30.0, 1.0), rowid LIMIT %s"
            )
            values = [query, MOST_FOUND]
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return [row[0] for row in cursor.fetchall()]

    def keys(self, question: str) -> RawSQL | None:
        """As :meth:`find` with every word, for `filter(pk__in=…)`: however many rows others have.

        None for a question without a word.
        """
        query = _query(question, every=True)
        if not query:
            return None
        if connection.vendor == "postgresql":
            where = "words @@ %s::tsquery"
        else:
            where = f"{self.table} MATCH %s"
        return RawSQL(f"SELECT rowid FROM {self.table} WHERE {where}", [query])  # noqa: S608, S611 - constants


def _query(question: str, every: bool) -> str:
    """The question in the words of the database that answers; "" where it has none."""
    words = list(dict.fromkeys(words_of(question)))[:MOST_WORDS]
    if connection.vendor == "postgresql":
        return (" & " if every else " | ").join(f"'{word}':*" for word in words)
    return (" AND " if every else " OR ").join(f'"{word}" *' for word in words)


def _tsvector(parts: Sequence[Sequence[str]]) -> str:
    """The words with their places and weights, as PostgreSQL writes them: `'plan':1A,7C`."""
    places: dict[str, list[str]] = {}
    place = 0
    for weight, part in zip("ABC", parts, strict=True):
        for word in part:
            place = min(place + 1, LAST_PLACE)
            places.setdefault(word, []).append(f"{place}{weight}")
    return " ".join(f"'{word}':{','.join(at[:255])}" for word, at in places.items())
