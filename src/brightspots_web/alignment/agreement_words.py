"""What is said about the calendar: what each phase is called, who does what in it."""

from datetime import date, timedelta

from django.utils.translation import gettext as _

from brightspots_web.alignment.agreement_queries import Phase, phase_of, phases
from brightspots_web.alignment.models import Agreement
from brightspots_web.directory import queries as directory
from brightspots_web.shared.words import day


def name(phase: str) -> str:
    """A phase's name."""
    return {
        "before": _("Not begun"),
        "propose": _("Proposals"),
        "consult": _("Consultation"),
        "ballot": _("Ballot"),
        "adopt": _("Adoption"),
        "work": _("Work"),
        "review": _("Review"),
        "over": _("Over"),
    }[phase]


def what_happens(phase: str) -> str:
    """Who does what in a phase, in one sentence."""
    return {
        "before": _("Nothing is asked of anybody yet."),
        "propose": _(
            "Schools, partnerships, districts and the ministry propose what the whole system "
            "should get better at."
        ),
        "consult": _(
            "Everybody may say what they think of the proposals or want changed in them. Whoever "
            "proposed answers, and similar proposals become one."
        ),
        "ballot": _("Every tier that has a vote ranks the proposals."),
        "adopt": _("The ministry adopts the two or three that were chosen."),
        "work": _("Everybody works on the two or three priorities."),
        "review": _("The system looks back at what came of them."),
        "over": _("The cycle is over."),
    }[phase]


def span(phase: Phase) -> str:
    """From which day to which; an empty phase has none."""
    if phase.ends <= phase.starts:
        return _("no days of its own")
    last = phase.ends - timedelta(days=1)
    if last == phase.starts:
        return day(phase.starts)
    return _("{first} to {last}").format(first=day(phase.starts), last=day(last))


def where_we_are(agreement: Agreement) -> str:
    """Where we are now, what comes next and when, in two sentences."""
    today = directory.today()
    now = phase_of(agreement, today)
    coming = [each for each in phases(agreement) if each.starts > today and each.ends > each.starts]
    if now == "over":
        return _("The cycle “{cycle}” is over.").format(cycle=agreement.cycle.name)
    said = [] if now == "before" else [
        _("Now: {phase}. {what}").format(phase=name(now), what=what_happens(now))
    ]  # fmt: skip
    if coming:
        said.append(
            _("Next: {phase}, from {day}.").format(
                phase=name(coming[0].name), day=day(coming[0].starts)
            )
        )
    else:
        said.append(_("The cycle ends on {day}.").format(day=day(agreement.cycle.ends)))
    return " ".join(said)


def not_in_this_phase(agreement: Agreement, wanted: str) -> str:
    """Why something cannot be done today, and when it can or could."""
    phase = next(each for each in phases(agreement) if each.name == wanted)
    words = {
        "propose": (
            _("Proposals for “{cycle}” can be made from {first}. Keep it as a draft until then."),
            _("Proposals for “{cycle}” could be made until {last}. {now}"),
        ),
        "consult": (
            _("The consultation on “{cycle}” begins on {first}. Come back then."),
            _("The consultation on “{cycle}” ended on {last}. {now}"),
        ),
    }[wanted]
    too_early = directory.today() < phase.starts
    return words[0 if too_early else 1].format(
        cycle=agreement.cycle.name,
        first=day(phase.starts),
        last=day(phase.ends - timedelta(days=1)),
        now=where_we_are(agreement),
    )


def out_of_order(earlier: str, first: date, later: str, second: date) -> str:
    """Which of two days cannot be."""
    return _(
        "{later} cannot begin on {second}: {earlier} begins on {first}, and has to come before it."
    ).format(later=name(later), second=day(second), earlier=name(earlier), first=day(first))


def ends_phase(agreement: Agreement, phase: str) -> str:
    """What a change of days would do to those who are at work now; the calendar is as wanted."""
    return _(
        "By these days the phase in which people are now (“{phase}”) would end today, and this "
        "would be the time for: {then}. People were told otherwise. Tick the box if you mean it."
    ).format(phase=name(phase), then=name(phase_of(agreement)))
