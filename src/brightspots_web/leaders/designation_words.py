"""What is said about leading: criteria, evidence, terms. Kind words; nobody is ranked or judged."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment.models import Priority
from brightspots_web.insight import bright_spot_words
from brightspots_web.insight import words as insight_words
from brightspots_web.insight.models import BrightSpot
from brightspots_web.leaders.designation_criteria_queries import Check
from brightspots_web.leaders.models import Application, Criteria, Designation, Grade
from brightspots_web.shared.charts import number
from brightspots_web.shared.words import day

Figure = Mapping[str, Any]


def years(n: int) -> str:
    return ngettext("{n} year", "{n} years", n).format(n=n)


def wish(grade: str) -> str:
    """What somebody applies for, read after "would like to"."""
    if grade == Grade.SPECIALIST:
        return _("help as a specialist in a priority")
    return _("lead a partnership of schools")


# What is asked


def criterion(key: str, grade: str = Grade.LEADER) -> str:
    """The short name of a criterion."""
    if key == "years_as_head" and grade == Grade.SPECIALIST:
        return _("Years of service at a school")
    return {
        "serves": _("Serves at the school"),
        "years_as_head": _("Years as a head"),
        "years_to_stay": _("Expects to stay"),
        "years_of_results": _("Years of published results"),
        "governors": _("The governors' backing"),
        "director": _("The district's backing"),
    }[key]


def asked_for(criteria: Criteria) -> list[str]:
    """What is asked of a leader, a sentence a criterion; what is not asked is not there."""
    found = [_("You serve at a school that is open.")]
    if criteria.years_as_head:
        found.append(
            _(
                "You have been a head for at least {years}. A specialist has served at a school "
                "for as long."
            ).format(years=years(criteria.years_as_head))
        )
    if criteria.years_to_stay:
        found.append(
            _("You expect to stay at your school for at least {years} more.").format(
                years=years(criteria.years_to_stay)
            )
        )
    if criteria.years_of_results:
        found.append(
            _("Your school has published results of at least {years}, at whatever level.").format(
                years=years(criteria.years_of_results)
            )
        )
    if criteria.governors:
        found.append(_("The school's governors back you."))
    if criteria.director:
        found.append(_("The district's office backs you: its officer does so here, by one press."))
    return found


def check(each: Check, application: Application) -> str:
    """What is met or missing, as one would say it to a colleague."""
    said = {
        "serves": _serves,
        "years_as_head": _years_as_head,
        "years_to_stay": _stays,
        "years_of_results": _results,
        "governors": _governors,
        "director": _director,
    }[each.key](each, application)
    if each.exception and not each.met:
        return _("{said} The ministry takes the application without it: {why}").format(
            said=said, why=each.exception
        )
    return said


def _serves(each: Check, application: Application) -> str:
    if not each.met:
        return _(
            "No appointment at {school}, or at a school that carries on its work, holds today."
        ).format(school=application.school.name)
    if each.known != application.school.name:
        return _("{school} closed; {after} carries on its work.").format(
            school=application.school.name, after=each.known
        )
    return _("Serves at {school}.").format(school=each.known)


def _years_as_head(each: Check, application: Application) -> str:
    specialist = application.grade == Grade.SPECIALIST
    if not each.known and specialist:
        return _("Less than a year of service at a school is known; {years} are asked.").format(
            years=years(each.asked)
        )
    if not each.known:
        return _("Less than a year as a head is known; {years} are asked.").format(
            years=years(each.asked)
        )
    said = _("{known} of service; {years} are asked.") if specialist else _(
        "{known} as a head; {years} are asked."
    )  # fmt: skip
    return said.format(known=years(each.known), years=years(each.asked))


def _stays(each: Check, application: Application) -> str:
    if not each.known:
        return _("Say until when you expect to stay; {years} from today are asked.").format(
            years=years(each.asked)
        )
    if not each.met:
        return _("Expects to stay until {day}; {years} from today are asked.").format(
            day=day(each.known), years=years(each.asked)
        )
    return _("Expects to stay until {day}.").format(day=day(each.known))


def _results(each: Check, application: Application) -> str:
    return _("The newest analysis has results of {known}; {years} are asked.").format(
        known=years(each.known), years=years(each.asked)
    )


def _governors(each: Check, application: Application) -> str:
    if not each.met:
        return _("Say who of the governors backs you, and since when.")
    return _("{who} for the governors, on {day}.").format(
        who=application.governors_by, day=day(application.governors_on)
    )


def _director(each: Check, application: Application) -> str:
    if each.met:
        return _("{who}, on {day}.").format(
            who=application.director_by, day=day(application.director_on)
        )
    if application.backing_asked_at is not None:
        return _("Asked for on {day}; the officer has not answered yet.").format(
            day=day(application.backing_asked_at)
        )
    return _("Ask for it here: the officer over your school is told.")


# What the figures say


def evidence(row: Figure) -> str:
    """A school at a priority in plain words: how far, how sure, by how many pupils and years."""
    if not row.get("subject"):
        return _("No published figure speaks of this priority.")
    if not row.get("known"):
        return _("There is no figure that can be shown: too few pupils, or no result.")
    scale = bright_spot_words.scale_of(row)
    said = bright_spot_words.difference(scale, row["estimate"], row["lower"], row["upper"])
    parts = [_("{subject}: {said}.").format(subject=row["subject"], said=said)]
    parts.append(
        _("{pupils}, {years}.").format(
            pupils=ngettext("{n} pupil", "{n} pupils", row["n"]).format(n=number(row["n"], 0)),
            years=years(row["years"]),
        )
    )
    if row.get("label") and row.get("delta"):
        parts.append(
            _("{percent} likely to be ahead by {delta} or more.").format(
                percent=bright_spot_words.percent(row["probability"]),
                delta=insight_words.points(scale, row["delta"]),
            )
        )
    if row.get("rise"):
        parts.append(rise(row))
    return " ".join(parts)


def rise(row: Figure) -> str:
    """From where to where, with both intervals; a difference that chance rarely makes."""
    scale = bright_spot_words.scale_of(row)
    first, last = row["rise"]
    return _(
        "It rises: from {first} ({first_low} to {first_high}) in {first_year} to {last} "
        "({last_low} to {last_high}) in {last_year}, in points beyond what is expected; the two "
        "intervals lie apart."
    ).format(
        first_year=first["year"],
        last_year=last["year"],
        **{
            f"{which}{end}": number(scale.points(year[name]), scale.digits, signed=True)
            for which, year in (("first", first), ("last", last))
            for end, name in (("", "estimate"), ("_low", "lower"), ("_high", "upper"))
        },
    )


def people_saw(row: Figure) -> str:
    """How far people got with the bright spot; a candidate is said to be one."""
    state = row.get("state")
    if state and state not in {BrightSpot.State.CANDIDATE, BrightSpot.State.SET_ASIDE}:
        return _("Bright spot, {state}.").format(state=BrightSpot.State(state).label)
    if state == BrightSpot.State.SET_ASIDE:
        return _("Visitors set it aside.")
    return _("Candidate: nobody has visited yet.") if row.get("label") else ""


def as_of(kept: Figure) -> str:
    """The day of the figures."""
    if not kept:
        return _("No figures were kept with it.")
    published = parse_date(kept.get("published") or "")
    if published is None:
        return _("No analysis is published yet.")
    return _("Figures published on {day}.").format(day=day(published))


# Terms


def titles(priorities: Sequence[Priority]) -> str:
    return ", ".join(each.title for each in priorities) or _("no single priority")


def term(designation: Designation) -> str:
    return _("{starts} to {ends}").format(
        starts=day(designation.starts), ends=day(last_day(designation))
    )


def last_day(designation: Designation) -> date:
    return date.fromordinal(designation.ends.toordinal() - 1)


def lapse_reason(key: str, school: str, wanted: int) -> str:
    """What no longer holds, and what would mend it."""
    if key == "serves":
        return _(
            "No appointment at {school}, or at a school that carries on its work, holds any longer."
        ).format(school=school)
    return _("{school} has had no published result for {years}.").format(
        school=school, years=years(wanted)
    )


def lapse_mend(key: str) -> str:
    if key == "serves":
        return _("Whoever appoints at the school can put this right, if it is a slip.")
    return _("Ask the analyst to look whether the school's results are missing from a file.")
