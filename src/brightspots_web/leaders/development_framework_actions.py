"""The competence framework: the ministry writes it, changes it, orders it, takes parts out."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import development_words as words
from brightspots_web.leaders.models import Competence
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

LONGEST_NAME, LONGEST_WHAT, LONGEST_LEVEL = 120, 1000, 400
RESERVED = frozenset({"begin", "add"})
"""Words that addresses of the framework use for something else."""


@dataclass(frozen=True)
class Text:
    """A competence in words, with a sentence for each of the four levels."""

    name: str
    what_it_is: str
    levels: tuple[str, str, str, str]


@transaction.atomic
def begin(*, by: Appointment) -> list[Competence]:
    """Write the five competences that a framework begins with, where there is none yet."""
    _check(by)
    audit.one_at_a_time()
    if Competence.objects.exists():
        return []
    made = [
        Competence.objects.create(
            code=each.code,
            name=each.name,
            what_it_is=each.what_it_is,
            levels=list(each.levels),
            place=place,
        )
        for place, each in enumerate(words.first_framework())
    ]
    detail = {"competences": [each.code for each in made]}
    audit.record("leaders.begin_framework", by=by, detail=detail)
    return made


@transaction.atomic
def add(text: Text, *, by: Appointment) -> Competence:
    """Add a competence at the end of the framework. Pressed twice, it is added once."""
    _check(by)
    text = _checked(text)
    audit.one_at_a_time()
    same = Competence.objects.filter(name=text.name, retired_at=None).first()
    if same is not None:
        if same.what_it_is == text.what_it_is and tuple(same.levels) == text.levels:
            return same
        raise ValidationError({"name": _("There is a competence of this name. Change that one.")})
    last = Competence.objects.aggregate(last=Max("place"))["last"]
    competence = Competence.objects.create(
        code=_free_code(text.name),
        name=text.name,
        what_it_is=text.what_it_is,
        levels=list(text.levels),
        place=0 if last is None else last + 1,
    )
    audit.record("leaders.add_competence", by=by, target=competence)
    return competence


@transaction.atomic
def change(
    competence: Competence, text: Text, *, by: Appointment, seen: int | None
) -> Competence:  # fmt: skip
    """Change a competence. Ratings given before keep the words they were given for.

    Raises
    ------
    OvertakenError
        Somebody else changed it since; nothing is saved.
    """
    _check(by)
    text = _checked(text)
    competence = _held(competence, seen)
    others = Competence.objects.filter(name=text.name, retired_at=None)
    if others.exclude(pk=competence.pk).exists():
        raise ValidationError({"name": _("There is a competence of this name. Choose another.")})
    before = {"name": competence.name, "levels": list(competence.levels)}
    same_words = competence.what_it_is == text.what_it_is
    if before == {"name": text.name, "levels": list(text.levels)} and same_words:
        return competence
    competence.name, competence.what_it_is = text.name, text.what_it_is
    competence.levels = list(text.levels)
    _save(competence)
    detail = {"before": before, "version": competence.version}
    audit.record("leaders.change_competence", by=by, target=competence, detail=detail)
    return competence


@transaction.atomic
def move(competence: Competence, *, by: Appointment, up: bool) -> None:
    """Let a competence change places with the one before it or after it."""
    _check(by)
    audit.one_at_a_time()
    order = list(Competence.objects.select_for_update(no_key=True).filter(retired_at=None))
    at = next((i for i, each in enumerate(order) if each.pk == competence.pk), None)
    if at is None:
        raise ValidationError(_("It was taken out. Bring it back first."))
    to = at - 1 if up else at + 1
    if not 0 <= to < len(order):
        return
    order[at], order[to] = order[to], order[at]
    for place, each in enumerate(order):
        if each.place != place:
            Competence.objects.filter(pk=each.pk).update(place=place)
    audit.record("leaders.move_competence", by=by, target=competence, detail={"place": to})


@transaction.atomic
def retire(competence: Competence, *, by: Appointment, seen: int | None) -> None:
    """Take a competence out: nobody is rated in it any more; what was said stays."""
    _check(by)
    competence = _held(competence, seen)
    if competence.retired_at is not None:
        return
    if Competence.objects.filter(retired_at=None).count() == 1:
        raise ValidationError(
            _("This is the last one. Add another first: a framework needs at least one.")
        )
    competence.retired_at = timezone.now()
    _save(competence)
    competence.ratings.filter(level=None).delete()  # nobody has to answer for it any more
    audit.record("leaders.retire_competence", by=by, target=competence)


@transaction.atomic
def bring_back(competence: Competence, *, by: Appointment, seen: int | None) -> None:
    """Put a competence that was taken out at the end of the framework again."""
    _check(by)
    audit.one_at_a_time()
    competence = _held(competence, seen)
    if competence.retired_at is None:
        return
    if Competence.objects.filter(name=competence.name, retired_at=None).exists():
        raise ValidationError(_("There is another of this name by now. Rename that one first."))
    last = Competence.objects.filter(retired_at=None).aggregate(last=Max("place"))["last"]
    competence.retired_at, competence.place = None, (last or 0) + 1
    _save(competence)
    audit.record("leaders.bring_back_competence", by=by, target=competence)


def _check(by: Appointment) -> None:
    if not may(by, Capability.SET_LEADERS):
        raise PermissionDenied


def _held(competence: Competence, seen: int | None) -> Competence:
    found = Competence.objects.select_for_update(no_key=True).get(pk=competence.pk)
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody changed this competence since you opened it. What you wrote is still "
                "here and was not saved: look at how it reads by now, then save yours if it holds."
            )
        )
    return found


def _save(competence: Competence) -> None:
    competence.version += 1
    competence.save()


def _checked(text: Text) -> Text:
    name, what = _plain(text.name), _plain(text.what_it_is)
    levels: Sequence[str] = [_plain(each) for each in text.levels]
    problems: dict[str, str] = {}
    for key, value, most in (("name", name, LONGEST_NAME), ("what_it_is", what, LONGEST_WHAT)):
        if not value:
            problems[key] = _("Write a few words here.")
        elif len(value) > most:
            problems[key] = _("Keep it under {n} characters.").format(n=most)
    for at, sentence in enumerate(levels, start=1):
        if not sentence:
            problems[f"level_{at}"] = _("Write a sentence by which a leader recognises this level.")
        elif len(sentence) > LONGEST_LEVEL:
            problems[f"level_{at}"] = _("Keep it under {n} characters.").format(n=LONGEST_LEVEL)
    if len(set(levels)) < len(levels) and not problems:
        problems["level_4"] = _("Two levels say the same. Each needs a sentence of its own.")
    if problems:
        raise ValidationError(problems)
    return Text(name, what, (levels[0], levels[1], levels[2], levels[3]))


def _plain(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


def _free_code(name: str) -> str:
    base = slugify(name)[:50].strip("-") or "competence"
    taken = set(Competence.objects.filter(code__startswith=base).values_list("code", flat=True))
    return next(
        code for n in range(1, len(taken) + 3)
        if (code := base if n == 1 else f"{base}-{n}") not in taken and code not in RESERVED
    )  # fmt: skip
