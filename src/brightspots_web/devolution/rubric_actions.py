"""Making, changing and retiring the short forms for structured observations.

A form that is changed is followed by another: the observations made with the first keep the
questions they answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import rubric_queries as queries
from brightspots_web.devolution.models import Rubric
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

LONGEST_NAME = 120
LONGEST_ABOUT = 500
LONGEST_QUESTION = 200


@dataclass(frozen=True)
class Form:
    """A form as somebody wants it; items: question, kind, and for a scale its highest level."""

    name: str
    items: Sequence[Mapping[str, Any]]
    about: str = ""
    priority: Priority | None = None


@transaction.atomic
def make(form: Form, *, by: Appointment) -> Rubric:
    """Make a form: a leader for the partnership, the ministry for the system. Twice is once."""
    if not queries.may_make(by):
        raise PermissionDenied
    form = _checked(form)
    audit.one_at_a_time()
    mine = Rubric.objects.filter(partnership=by.partnership, name=form.name, retired_at=None)
    for same in mine:
        if same.items == form.items:
            return same
        raise ValidationError(
            {"name": _("There is a form of this name. Change that one, or choose another name.")}
        )
    rubric = _kept(form, by)
    audit.record("devolution.make_rubric", by=by, target=rubric, detail=_detail(rubric))
    return rubric


@transaction.atomic
def change(rubric: Rubric, form: Form, *, by: Appointment, seen: int | None) -> Rubric:
    """Put a changed form in the place of one; what was observed with that one stays as it was.

    Raises
    ------
    OvertakenError
        Somebody else changed it or took it out of use meanwhile.
    """
    rubric = _held(rubric, by)
    if rubric.retired_at is not None or (seen is not None and seen != rubric.version):
        raise OvertakenError(
            _(
                "This form was changed or taken out of use since you opened it. What you wrote is "
                "still here and was not saved."
            )
        )
    form = _checked(form)
    same = (rubric.name, rubric.about, rubric.items, rubric.priority)
    if same == (form.name, form.about, form.items, form.priority):
        return rubric
    rubric.retired_at = timezone.now()
    rubric.save(update_fields=["retired_at"])
    follower = _kept(form, by, rubric)
    audit.record("devolution.change_rubric", by=by, target=follower, detail=_detail(follower))
    return follower


@transaction.atomic
def retire(rubric: Rubric, *, by: Appointment) -> Rubric:
    """Take a form out of use. Its observations stay, with its questions."""
    rubric = _held(rubric, by)
    if rubric.retired_at is None:
        rubric.retired_at = timezone.now()
        rubric.save(update_fields=["retired_at"])
        audit.record("devolution.retire_rubric", by=by, target=rubric, detail=_detail(rubric))
    return rubric


def _held(rubric: Rubric, by: Appointment) -> Rubric:
    found = Rubric.objects.select_for_update(no_key=True).get(pk=rubric.pk)
    if not queries.may_change(by, found):
        raise PermissionDenied
    return found


def _kept(form: Form, by: Appointment, replaces: Rubric | None = None) -> Rubric:
    return Rubric.objects.create(
        name=form.name,
        about=form.about,
        priority=form.priority,
        partnership=by.partnership,
        items=list(form.items),
        made_by=by.label[:300],
        made_at=timezone.now(),
        replaces=replaces,
        version=replaces.version + 1 if replaces else 1,
    )


def _checked(form: Form) -> Form:
    problems: dict[str, Any] = {}
    name = " ".join(form.name.replace("\0", "").split())
    about = form.about.replace("\0", "").strip()
    if not name:
        problems["name"] = _("Give it a name.")
    elif len(name) > LONGEST_NAME:
        problems["name"] = _("Keep it under {n} characters.").format(n=LONGEST_NAME)
    if len(about) > LONGEST_ABOUT:
        problems["about"] = _("Keep it under {n} characters.").format(n=LONGEST_ABOUT)
    items: list[dict[str, Any]] = []
    for number, given in enumerate(form.items, start=1):
        question = " ".join(str(given["question"]).replace("\0", "").split())
        if not question:
            continue
        if len(question) > LONGEST_QUESTION:
            problems[f"question_{number}"] = _("Keep it under {n} characters.").format(
                n=LONGEST_QUESTION
            )
        items.append(_item(len(items) + 1, question, given))
    if not items:
        problems["question_1"] = _("Ask at least one thing.")
    if len(items) > queries.MOST_ITEMS:
        problems["question_1"] = _("Ask at most {n} things: a form is filled in while standing.")\
            .format(n=queries.MOST_ITEMS)  # fmt: skip
    if problems:
        raise ValidationError(problems)
    return Form(name, items, about, form.priority)


def _item(number: int, question: str, given: Mapping[str, Any]) -> dict[str, Any]:
    kind = given.get("kind", "yes_no")
    if kind not in queries.KINDS:
        raise ValidationError({f"kind_{number}": _("Choose one of the kinds.")})
    most = int(given.get("most") or 4)
    if kind == "scale" and most not in queries.LEVELS:
        raise ValidationError({f"most_{number}": _("A scale has from 2 to 10 levels.")})
    item: dict[str, Any] = {"code": f"q{number}", "question": question, "kind": kind}
    return item | ({"most": most} if kind == "scale" else {})


def _detail(rubric: Rubric) -> dict[str, object]:
    partnership = rubric.partnership.code if rubric.partnership else ""
    return {"items": len(rubric.items), "version": rubric.version, "partnership": partnership}
