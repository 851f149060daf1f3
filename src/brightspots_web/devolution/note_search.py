"""Finding notes by their words: tags before what was seen, and that before the photograph's."""

from brightspots_web.devolution.note_models import DataNote
from brightspots_web.shared.search import Index, Parts

INDEX = Index("devolution_note_words", ("tags", "words", "rest"))


def parts_of(note: DataNote, says: str) -> Parts:
    """Tags, words, and what is on the photograph."""
    return " ".join(note.tags), note.words, says
