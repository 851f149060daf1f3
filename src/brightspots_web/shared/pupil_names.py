"""What is watched for in what people say: names of pupils, and what else says who one is."""

import re
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

_PUPIL = (
    r"pupil|student|learner|child|boy|girl|son|daughter|mwanafunzi|mtoto|élève|eleve|enfant|alumno"
)
_NAME = r"[^\W\d_]['’\w-]+"
_AFTER_PUPIL = re.compile(
    rf"\b(?i:{_PUPIL})s?,?\s+(?:(?i:called|named|aitwaye)\s+)?(?P<name>{_NAME})"
)
_TWO_NAMES = re.compile(rf"\b(?=(?P<first>{_NAME})[^\S\n]+(?P<last>{_NAME}|[^\W\d_]\.))")
_NUMBER = re.compile(rf"\b(?i:{_PUPIL}|admission)\s+(?i:no\.?|number|nr\.?|#)\s*\d+")
_TITLES = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "sir", "madam", "mwalimu", "bwana", "bibi", "head"]
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DAY = re.compile(
    r"\b(?:(?P<y1>\d{4})[-/.]\d{1,2}[-/.]\d{1,2}"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](?P<y2>\d{4})"
    r"|\d{1,2}(?:st|nd|rd|th|\.)?\s+(?:(?:of|de)\s+)?[^\W\d_]{3,}\.?,?\s+(?:(?:of|de)\s+)?"
    r"(?P<y3>\d{4})"
    r"|[^\W\d_]{3,}\.?\s+\d{1,2}(?:st|nd|rd|th)?,\s+(?P<y4>\d{4}))\b"
)
_PHONE = re.compile(r"(?<![\w.,])\+?\(?\d(?:[ ()./-]{0,2}\d){7,14}(?!\w)")
_ID = re.compile(
    r"\b(?i:(?:adm|admission|reg|registration|upi|lin|nemis|matricule)\b\.?\s*"
    r"(?:no\.?|number|nr\.?)?|(?:index|roll)\s+(?:no\.?|number|nr\.?))"
    r"\s*[:#]?\s*[A-Z]{0,4}[-/]?\d{2,}"
)
_LONG_NUMBER = re.compile(r"(?<![\w.,])\d{6,}(?![\w.,]*\d)")
AGES = range(3, 26)
"""A day so many years ago may be a pupil's day of birth."""


def may_identify_pupil(text: str, known: Iterable[str] = ()) -> str:
    """The words that may say who a pupil is, by name or otherwise; "" where none do.

    As :func:`may_name_pupil`, and besides: an address for mail, a telephone number, a number under
    which a pupil is registered, a day that may be one of birth.
    """
    this_year = timezone.localdate().year
    rest = text
    for day in _DAY.finditer(text):
        year = next(value for value in day.groups() if value)
        if this_year - int(year) in AGES:
            return day.group()
        rest = rest.replace(day.group(), " ")
    for pattern in (_EMAIL, _ID, _PHONE, _LONG_NUMBER):
        found = pattern.search(rest)
        if found:
            return found.group().strip()
    return may_name_pupil(text, known)


def may_name_pupil(text: str, known: Iterable[str] = ()) -> str:
    """The words that look like the name of a pupil; "" where none do.

    A guess that asks the person to look again, never a check: names of pupils are as any other
    words. It looks for a name after "pupil", "girl" and the like, for two capitalised words in the
    middle of a sentence, and for a pupil's number. Words of `known` (schools, areas, the title)
    and those after a title (Mr, Dr) are no pupils.
    """
    found = _NUMBER.search(text)
    if found:
        return found.group()
    harmless = {word.casefold() for name in known for word in re.findall(r"\w+", name)}
    for match in _AFTER_PUPIL.finditer(text):
        name = match["name"]
        if name[0].isupper() and not name.isupper() and name.casefold() not in harmless:
            return match.group()
    for match in _TWO_NAMES.finditer(text):
        first, last = match["first"], match["last"].rstrip(".")
        capital = first[0].isupper() and last[0].isupper()
        short = first.isupper() or (last.isupper() and len(last) > 1)
        if not capital or short or _starts_sentence(text, match.start()):
            continue
        named = {first.casefold(), last.casefold()} & harmless or first.casefold() in _TITLES
        if not named and not _after_title(text, match.start()):
            return f"{first} {match['last']}"
    return ""


def _starts_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \t\"'“‘(")
    return not before or before[-1] in ".!?:\n"


def _after_title(text: str, at: int) -> bool:
    before = re.findall(r"\w+", text[:at])
    return bool(before) and before[-1].casefold() in _TITLES


class MayNamePupilError(ValidationError):
    """The words look as if they named a pupil: the person is asked to look again."""


def look_again(words: str, known: Iterable[str], names_no_pupil: bool) -> None:
    """Ask the person to look again where words look like a pupil's name.

    Raises
    ------
    MayNamePupilError
        Unless the person looked already and says that no pupil is named.
    """
    suspect = may_name_pupil(words, known)
    if suspect and not names_no_pupil:
        raise MayNamePupilError(
            _(
                "“{words}” looks like the name of a pupil. Everybody can read this: take the name "
                "out, or say below that it is nobody’s."
            ).format(words=suspect)
        )
