"""The strands and stages in plain words. The texts of the stages are assumed until edited."""

from collections.abc import Mapping
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.pace.stage_models import Stage, StageRound, Strand
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day


def rule() -> str:
    """What a stage is; it stands where stages are shown."""
    return _(
        "Each rates alone first, and says what shows it. Then the group agrees. A stage describes "
        "how a group works today; it is no mark, and places are not compared. Where people see it "
        "differently, that stays visible: nothing is averaged."
    )


def strand(value: str) -> str:
    return str(Strand(value).label)


def stage(value: int | None) -> str:
    return str(Stage(value).label) if value else _("not agreed yet")


def badge(found: StageRound | None, agreed: int) -> Badge:
    """How a round stands; `agreed` counts its strands."""
    if found is None:
        return Badge(_("no round in this cycle"), "plain")
    if found.state == StageRound.State.OPEN:
        return Badge(_("everybody rates alone"), "visit")
    if agreed < len(Strand):
        return Badge(_("to be agreed"), "unsure")
    return Badge(_("agreed"), "bright")


def standing(found: StageRound, rated: int, seats: int, agreed: int) -> str:
    """How far a round is, in one sentence. Who has rated is told to nobody."""
    if found.state == StageRound.State.OPEN:
        said = ngettext(
            "{n} of {all} has rated. Ratings close after {day}.",
            "{n} of {all} have rated. Ratings close after {day}.",
            rated,
        )
        return said.format(n=number(rated, 0), all=number(seats, 0), day=day(found.closes_on))
    return _("{n} of {all} strands are agreed.").format(
        n=number(agreed, 0), all=number(len(Strand), 0)
    )


def carried(yes: int, no: int, asked: int) -> str:
    """How many carry a stage, and how many see it differently."""
    return _("{yes} of {all} carry it; {no} see it differently; {silent} have not said.").format(
        yes=number(yes, 0),
        all=number(asked, 0),
        no=number(no, 0),
        silent=number(max(asked - yes - no, 0), 0),
    )


def spread(counts: Mapping[int, int]) -> str:
    """`2 developing, 3 embedding`: every rating counted, none averaged."""
    said = [
        _("{n} {stage}").format(n=number(counts[each], 0), stage=each.label)
        for each in Stage
        if counts.get(each)
    ]
    return ", ".join(said)


def summary(agreed: Mapping[str, int], on: date | None) -> str:
    """`Agreed until 3 May 2026: beginning: Leaders. Developing: Alignment, Evidence.`"""
    if not agreed:
        return _("No stage is agreed yet.")
    said = [
        _("{stage}: {strands}").format(
            stage=each.label,
            strands=", ".join(strand(one) for one in Strand.values if agreed.get(one) == each),
        )
        for each in Stage
        if each in agreed.values()
    ]
    return _("{stages} (agreed, {day}).").format(stages="; ".join(said), day=day(on))


def assumed(key: str) -> str:
    """The text of a stage that nobody has edited; `key` is "strand.stage"."""
    return _texts()[key]


def _texts() -> dict[str, str]:
    return {
        "connectedness.1": _("Some schools here know each other; most work alone."),
        "connectedness.2": _(
            "Most schools meet and know who could help whom. Some are seldom there."
        ),
        "connectedness.3": _(
            "Every school is in touch. Help is asked for and given in both directions."
        ),
        "connectedness.4": _(
            "Nobody is left out. What works here reaches others outside, and we take up theirs."
        ),
        "alignment.1": _("The priorities are known by name; each school has its own as well."),
        "alignment.2": _("We have said what the priorities mean here. Some of our work follows."),
        "alignment.3": _("Meetings, support and time go to the two or three priorities."),
        "alignment.4": _(
            "Everybody can say what we aim at and why; we drop what does not serve it."
        ),
        "leaders.1": _("One person leads, or nobody yet; much depends on them."),
        "leaders.2": _("Our leader has time and support, and is learning with other leaders."),
        "leaders.3": _(
            "Several people lead in what they are good at; the next leaders are growing."
        ),
        "leaders.4": _(
            "Leading is shared and survives a change of people. Our leaders help other groups."
        ),
        "devolution.1": _("Most is decided for us. We carry out what comes from above."),
        "devolution.2": _("We decide some things together and try them in small steps."),
        "devolution.3": _("We decide what to improve and how, and keep what we decide."),
        "devolution.4": _(
            "We carry powers of our own, with money and time, and answer for what comes of them."
        ),
        "accountability.1": _("We answer upward only. Promises are seldom looked at again."),
        "accountability.2": _("We have begun to promise to each other and to look with peers."),
        "accountability.3": _(
            "Promises are witnessed and checked among us; teachers and heads get answers."
        ),
        "accountability.4": _(
            "We hold each other to what pupils of the whole area gain, and ask for challenge."
        ),
        "evidence.1": _("Data comes from outside, late; we rarely use it together."),
        "evidence.2": _("We look at data together and add what we see ourselves."),
        "evidence.3": _("We test changes in small cycles and stop what does not help."),
        "evidence.4": _("We can show what helped, for whom and how sure we are; others use it."),
    }
