"""Finding practices by their words: title before summary before the rest.

The actions that change a practice call `keep`; `rebuild` makes everything anew.
"""

from collections.abc import Iterable

from brightspots_web.connectedness.practice_models import Practice
from brightspots_web.shared.search import Index, Parts
from brightspots_web.shared.search import words_of as words_of

TABLE = "connectedness_practice_words"
INDEX = Index(TABLE, ("title", "summary", "rest"))


def parts_of(practice: Practice) -> Parts:
    """Title, summary and the rest, from the heaviest to the lightest."""
    rest = (
        practice.what_to_do, practice.what_it_takes, practice.context, practice.evidence,
        practice.school.name,
    )  # fmt: skip
    return practice.title, practice.summary, " ".join(rest)


def keep(practice: Practice) -> None:
    """Put a practice's words in step with its row; inside the transaction that changes the row."""
    INDEX.keep(practice.pk, parts_of(practice))


def rebuild(practices: Iterable[Practice]) -> int:
    """Forget all words and keep those of these practices; gives how many there are."""
    return INDEX.rebuild((practice.pk, parts_of(practice)) for practice in practices)


def find(question: str, *, every: bool = True) -> list[int]:
    """Keys of the practices whose words begin as the question's do, the best first."""
    return INDEX.find(question, every=every)
