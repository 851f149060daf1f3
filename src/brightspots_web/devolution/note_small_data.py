"""The small data of a partnership on a priority, as it stands beside the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import note_queries as queries
from brightspots_web.devolution import note_words as words
from brightspots_web.devolution import rubric_queries as rubrics
from brightspots_web.devolution.models import DataNote, Rubric
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership
from brightspots_web.shared.words import day

SINCE = timedelta(days=120)
"""About a term: what was seen longer ago is in the list of notes."""
MOST_QUOTES = 6
MOST_PHOTOS = 4


@dataclass(frozen=True)
class Photo:
    """Where a photograph is, and what is on it."""

    url: str
    says: str


@dataclass(frozen=True)
class Quote:
    """What somebody of a school saw or heard; `key` is the note's."""

    key: int
    school: str
    kind: str
    on: str
    words: str
    url: str
    photo: Photo | None = None
    iso: str = ""
    """The day as it is kept with a decision: the same in every language."""


@dataclass(frozen=True)
class Observed:
    """What was observed with one form: each question, the answers in words, and of how many."""

    name: str
    basis: str
    items: Sequence[tuple[str, str, int]]


@dataclass(frozen=True)
class SmallData:
    """What a conversation shows of small data, in the size of the large."""

    quotes: Sequence[Quote]
    photos: Sequence[Quote]
    observed: Sequence[Observed]
    n_notes: int
    n_schools: int
    sentence: str
    all_url: str
    write_url: str

    @property
    def more(self) -> int:
        """How many notes are not shown here."""
        shown = {each.key for each in (*self.quotes, *self.photos)}
        return self.n_notes - len(shown) - self._counted_only

    _counted_only: int = 0


def small_data_of(
    partnership: Partnership, priority: Priority, acting: Appointment | None
) -> SmallData | None:
    """What the schools of a partnership shared on a priority in about the last term.

    None for whoever has no part in the partnership: officers, ministry and analysts see no note
    and no count of notes.
    """
    if not queries.is_member(acting, partnership):
        return None
    since = directory.today() - SINCE
    notes = queries.small_data(partnership, priority, since)
    spoken = [note for note in notes if note.words and not says_of(note)]
    pictured = [note for note in notes if says_of(note)]
    shown = [*spoken[:MOST_QUOTES], *pictured[:MOST_PHOTOS]]
    counted_only = [note for note in notes if not note.words and not says_of(note)]
    schools = len({note.school_id for note in notes})
    narrowed = urlencode({"priority": priority.code, "whose": "shared"})
    return SmallData(
        quotes=[quote(note) for note in shown if not says_of(note)],
        photos=[quote(note) for note in shown if says_of(note)],
        observed=observed(notes),
        n_notes=len(notes),
        n_schools=schools,
        sentence=_sentence(len(notes), schools, since),
        all_url=f"{reverse('devolution:notes')}?{narrowed}",
        write_url=f"{reverse('devolution:note_write')}?{urlencode({'priority': priority.code})}"
        if queries.may_write(acting)
        else "",
        _counted_only=len(counted_only),
    )


def says_of(note: DataNote) -> str:
    """What is on a note's photograph; "" where it has none."""
    return getattr(note, "photo_says", "") or ""


def quote(note: DataNote) -> Quote:
    return Quote(
        note.pk,
        note.school.name,
        str(note.get_kind_display()),
        day(note.on),
        note.words,
        reverse("devolution:note", args=[note.pk]),
        photo(note),
        note.on.isoformat(),
    )


def photo(note: DataNote) -> Photo | None:
    """The photograph, with an address that changes when the note does."""
    if not says_of(note):
        return None
    return Photo(
        f"{reverse('devolution:note_photo', args=[note.pk])}?v={note.version}", says_of(note)
    )


def observed(notes: Sequence[DataNote]) -> list[Observed]:
    """What these notes observed, form by form; a form that was changed stands with each text."""
    forms: dict[int, Rubric] = {}
    by_form: dict[int, list[DataNote]] = {}
    for note in notes:
        if note.rubric is not None:
            forms[note.rubric.pk] = note.rubric
            by_form.setdefault(note.rubric.pk, []).append(note)
    return [
        of_form(form, by_form[key])
        for key, form in sorted(forms.items(), key=lambda each: (each[1].name, each[1].version))
    ]


def of_form(form: Rubric, notes: Sequence[DataNote]) -> Observed:
    """The observations with one form; the caller has found who may see the notes."""
    items = [
        (item.question, words.answers(item), item.n) for item in rubrics.counted(form, notes)
    ]  # fmt: skip
    schools = len({note.school_id for note in notes})
    days = sorted(note.on for note in notes)
    basis = _("{observations} at {schools}, {days}").format(
        observations=words.observations(len(notes)),
        schools=words.schools(schools),
        days=words.from_to(days[0], days[-1]) if days else "",
    )
    name = form.name
    if form.version > 1:
        name = _("{form}, as changed ({n})").format(form=name, n=form.version)
    return Observed(name, basis, items)


def _sentence(notes: int, schools: int, since: date) -> str:
    if not notes:
        return _("Nobody has shared a note on this since {day}.").format(day=day(since))
    return ngettext(
        "{n} note, shared by {schools} since {day}.",
        "{n} notes, shared by {schools} since {day}.",
        notes,
    ).format(n=notes, schools=words.schools(schools), day=day(since))
