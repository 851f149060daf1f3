"""Writing practices up, changing, publishing and withdrawing them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256

from django.conf.locale import LANG_INFO
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import practice_queries as queries
from brightspots_web.connectedness import practice_search
from brightspots_web.connectedness.models import Practice
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.insight import bright_spot_actions, bright_spot_queries
from brightspots_web.insight.bright_spot_queries import Spot
from brightspots_web.insight.models import BrightSpot
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

State = Practice.State
MORE_LANGUAGES = {
    "am": "አማርኛ", "ha": "Hausa", "lg": "Luganda", "ln": "Lingála", "mg": "Malagasy",
    "ny": "Chichewa", "om": "Afaan Oromoo", "rn": "Ikirundi", "rw": "Ikinyarwanda",
    "so": "Soomaali", "ti": "ትግርኛ", "wo": "Wolof", "xh": "isiXhosa", "yo": "Yorùbá",
    "zu": "isiZulu",
}  # fmt: skip
"""Languages of schools that Django does not know by name."""
LONGEST = {
    "title": 160, "summary": 300, "context": 4000, "what_to_do": 8000, "what_it_takes": 4000,
    "evidence": 4000,
}  # fmt: skip
NEEDED = ("title", "summary", "context", "what_to_do", "what_it_takes")


@dataclass(frozen=True)
class Text:
    """A practice in words; `evidence` may wait."""

    title: str
    summary: str
    context: str
    what_to_do: str
    what_it_takes: str
    evidence: str = ""


def languages() -> dict[str, str]:
    """Code -> the language's own name, for every language a practice can be written in."""
    known = {code: info["name_local"] for code, info in LANG_INFO.items() if "name_local" in info}
    return dict(sorted({**known, **MORE_LANGUAGES}.items(), key=lambda each: each[1].casefold()))


@transaction.atomic
def write(
    school: School,
    text: Text,
    *,
    by: Appointment,
    language: str,
    priority: Priority | None = None,
    spot: Spot | None = None,
) -> Practice:
    """Write a practice of a school up, as a draft. Pressed twice, it is written once.

    Raises
    ------
    PermissionDenied
        The appointment may not write for this school, or the bright spot is not confirmed.
    ValidationError
        A part is missing or too long, or the language is not known.
    """
    if not queries.may_write_for(by, school):
        raise PermissionDenied
    if spot is not None and (spot.school.pk != school.pk or spot.kept is None):
        raise PermissionDenied
    text = _checked(text)
    _check_language(language)
    hold_school(school)
    same = _same_draft(school, text, by)
    if same is not None:
        return same
    practice = Practice(
        code=_free_code(text.title),
        school=school,
        priority=priority,
        bright_spot=spot.kept if spot else None,
        language=language,
        **asdict(text),
    )
    return _created(practice, by)


@transaction.atomic
def translate(original: Practice, text: Text, *, by: Appointment, language: str) -> Practice:
    """Write a practice in another language, as a draft linked to the original."""
    original = Practice.objects.select_for_update(no_key=True).get(pk=original.pk)
    if original.translation_of_id is not None or not queries.may_write_for(by, original.school):
        raise PermissionDenied
    text = _checked(text)
    _check_language(language)
    taken = original.language == language or original.translations.filter(language=language)
    if taken:
        same = _same_draft(original.school, text, by)
        if same is not None and same.language == language:
            return same
        raise ValidationError(
            {
                "language": _("“{practice}” is there in this language already. Change it.").format(
                    practice=original.title
                )
            }
        )
    practice = Practice(
        code=_free_code(f"{original.code[:60]}-{language}"),
        school=original.school,
        priority=original.priority,
        bright_spot=original.bright_spot,
        language=language,
        translation_of=original,
        **asdict(text),
    )
    return _created(practice, by)


def _created(practice: Practice, by: Appointment) -> Practice:
    now = timezone.now()
    practice.written_by, practice.appointment = by.label[:300], str(by.pk)
    practice.written_at = practice.changed_at = now
    practice.save(force_insert=True)
    practice_search.keep(practice)
    audit.record("connectedness.write_practice", by=by, target=practice, detail=_detail(practice))
    tell(queries.nearest_publishers(practice), "drafted", practice, by=by)
    return practice


@transaction.atomic
def change(
    practice: Practice,
    text: Text,
    *,
    by: Appointment,
    seen: int | None,
    priority: Priority | None = None,
) -> Practice:
    """Change what a practice says. What is published stays so; who follows it hears.

    Parameters
    ----------
    seen
        The version the person had before them; None to take whatever is there.

    Raises
    ------
    OvertakenError
        Somebody else was quicker; nothing is saved.
    """
    practice = held(practice, seen)
    if not queries.may_write_for(by, practice.school):
        raise PermissionDenied
    text = _checked(text)
    before = {name: getattr(practice, name) for name in LONGEST}
    changed = sorted(name for name, value in asdict(text).items() if before[name] != value)
    if not changed and practice.priority == priority:
        return practice
    for name, value in asdict(text).items():
        setattr(practice, name, value)
    practice.priority = priority
    _save(practice)
    practice.translations.update(priority=priority)
    detail = _detail(practice) | {"changed": changed}
    audit.record("connectedness.change_practice", by=by, target=practice, detail=detail)
    if practice.state == State.PUBLISHED:
        tell_followers(practice, "changed", by=by)
    return practice


@transaction.atomic
def publish(practice: Practice, *, by: Appointment, seen: int | None) -> str:
    """Publish a draft; its bright spot becomes "practice written up" if this person may say so.

    Returns
    -------
    str
        What became of the bright spot, in words; "" where there is none to move.
    """
    practice = held(practice, seen)
    if not queries.may_publish(by, practice):
        raise PermissionDenied
    if practice.state == State.PUBLISHED:
        return ""
    original = practice.translation_of
    if original is not None and original.state != State.PUBLISHED:
        raise ValidationError(_("Publish the practice in its own language first."))
    practice.state, practice.retired_why = State.PUBLISHED, ""
    practice.published_at, practice.published_by = timezone.now(), by.label[:300]
    _save(practice)
    audit.record("connectedness.publish_practice", by=by, target=practice, detail=_detail(practice))
    heads = list(people.heads_of(practice.school))
    writer = _writer(practice)
    tell([*heads, *writer, *queries.followers_of(queries.original_of(practice))],
         "published", practice, by=by)  # fmt: skip
    return _written_up(practice, by) if original is None else ""


def _written_up(practice: Practice, by: Appointment) -> str:
    """Move the bright spot on by insight's own action, or say who can."""
    spot = queries.spot_of(practice)
    if spot is None or spot.state != BrightSpot.State.CONFIRMED:
        return ""
    to = BrightSpot.State.WRITTEN_UP
    if not bright_spot_queries.may_take(by, practice.school, to):
        who = list(people.officers_over(practice.school))
        return _(
            "The bright spot still stands as “confirmed”: {who} can record that its practice is "
            "written up, on its page."
        ).format(who=", ".join(str(each) for each in who) or _("the ministry"))
    bright_spot_actions.take_step(
        practice.school,
        spot.subject,
        by=by,
        to=to,
        on=directory.today(),
        note=_("The practice “{practice}” is published.").format(practice=practice.title),
    )
    return _("The bright spot now stands as “practice written up”.")


@transaction.atomic
def retire(practice: Practice, *, by: Appointment, why: str, seen: int | None) -> Practice:
    """No longer recommend a practice, and say why. Its page and its lineage stay."""
    practice = held(practice, seen)
    if not queries.may_retire(by, practice):
        raise PermissionDenied
    if practice.state != State.PUBLISHED:
        raise ValidationError(_("Only a published practice can be withdrawn."))
    practice.retired_why = required(why, "why", 500)
    practice.state = State.RETIRED
    _save(practice)
    for each in practice.translations.filter(state=State.PUBLISHED):
        each.state, each.retired_why = State.RETIRED, practice.retired_why
        _save(each)
    audit.record("connectedness.retire_practice", by=by, target=practice, detail=_detail(practice))
    tell([*people.heads_of(practice.school), *queries.followers_of(practice)],
         "retired", practice, by=by)  # fmt: skip
    return practice


def rebuild_words() -> int:
    """Make the words by which practices are found anew; gives how many practices there are."""
    return practice_search.rebuild(queries.all_practices().iterator(chunk_size=500))


# What several of them need


def held(practice: Practice, seen: int | None) -> Practice:
    """The row, held until the transaction ends; refused where it is not the one that was seen."""
    found = (
        Practice.objects.select_for_update(of=("self",), no_key=True)
        .select_related("school__area", "priority", "bright_spot", "translation_of")
        .get(pk=practice.pk)
    )
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody changed this practice since you opened it. What you wrote is still here "
                "and was not saved: look at the practice, then save yours if it still holds."
            )
        )
    return found


def required(text: str, name: str, most: int) -> str:
    text = text.replace("\0", "").strip()
    if not text:
        raise ValidationError({name: _("Say it in a few words.")})
    if len(text) > most:
        raise ValidationError({name: _("Keep it under {n} characters.").format(n=most)})
    return text


def tell(persons: Iterable[Person], event: str, practice: Practice, *, by: Appointment,
         school: School | None = None) -> None:  # fmt: skip
    """One notice for each of the people but the one who acts; a newer one replaces an unseen."""
    school = school or practice.school
    kind = f"connectedness.practice_{event}"
    data = {"code": practice.code, "practice": practice.title, "school": school.name}
    others = [person for person in persons if person.pk != by.person_id]
    notices.notify(others, kind, data, key=f"{kind}:{practice.pk}:{school.pk}")


def tell_followers(practice: Practice, event: str, *, by: Appointment) -> None:
    """The source school's heads, and who follows the practice."""
    original = queries.original_of(practice)
    tell([*people.heads_of(original.school), *queries.followers_of(original)],
         event, practice, by=by)  # fmt: skip


def _writer(practice: Practice) -> list[Person]:
    key = queries.writer_of(practice)
    return list(directory.people_with_appointments().filter(pk=key or 0))


def _save(practice: Practice) -> None:
    practice.version += 1
    practice.changed_at = timezone.now()
    practice.save()
    practice_search.keep(practice)


def _checked(text: Text) -> Text:
    problems = {}
    plain = {name: value.replace("\0", "").strip() for name, value in asdict(text).items()}
    for name, value in plain.items():
        if name in NEEDED and not value:
            problems[name] = _("Write a few words here.")
        elif len(value) > LONGEST[name]:
            problems[name] = _("Keep it under {n} characters.").format(n=LONGEST[name])
    if problems:
        raise ValidationError(problems)
    return Text(**plain)


def _check_language(language: str) -> None:
    if language not in languages():
        raise ValidationError({"language": _("Choose one of the languages.")})


def _same_draft(school: School, text: Text, by: Appointment) -> Practice | None:
    """What a press of the button that arrived twice has written already."""
    drafts = Practice.objects.filter(school=school, state=State.DRAFT, appointment=str(by.pk))
    return drafts.filter(**asdict(text)).first()


def _free_code(title: str) -> str:
    """A name for addresses that nothing has yet, and that nobody else takes meanwhile."""
    audit.one_at_a_time()
    base = slugify(title)[:60].strip("-") or "practice"
    taken = set(Practice.objects.filter(code__startswith=base).values_list("code", flat=True))
    return next(
        code for n in range(1, len(taken) + 3)
        if (code := base if n == 1 else f"{base}-{n}") not in taken and code not in RESERVED
    )  # fmt: skip


RESERVED = frozenset({"write"})
"""Words that addresses of practices use for something else."""


def _detail(practice: Practice) -> dict[str, object]:
    """Which text it was, without the text itself."""
    whole = "\n".join(str(getattr(practice, name)) for name in LONGEST)
    return {
        "school": practice.school.code,
        "state": practice.state,
        "language": practice.language,
        "version": practice.version,
        "text_sha256": sha256(whole.encode()).hexdigest(),
    }
