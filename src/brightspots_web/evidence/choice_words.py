"""What was chosen on what, and lotteries, in plain words that judge nobody."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness import support_reasons
from brightspots_web.evidence.choice_lottery_queries import Counted
from brightspots_web.evidence.models import Choice, Lottery, LotteryEntry
from brightspots_web.insight import disclosure
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

State = Lottery.State
Band, ScoreOf, Without = Choice.Band, Choice.ScoreOf, Choice.Without


# What was chosen on what


def rule() -> str:
    return _(
        "When help begins, what was known that day is written down: the figure published then, "
        "with its interval; the band it lies in; who chose, when and why. It is never changed "
        "afterwards. Later it shows which schools may fairly be compared. What began is looked "
        "for every hour; what is written down is what was published when the choice was made, "
        "even if it is written later."
    )


def score(choice: Choice) -> str:
    """The score with its interval and n, in one line."""
    if choice.score_of == ScoreOf.DISTANCE:
        return _("{km} km to the leader’s school").format(km=number(choice.score, 1))
    if choice.score_of == ScoreOf.NONE:
        return str(Without(choice.without).label)
    digits = choice.digits
    return _("{value} points in {subject} (likely {lower} to {upper}; {n} pupils)").format(
        value=number(choice.score, digits, signed=True),
        subject=choice.subject,
        lower=number(choice.lower, digits, signed=True),
        upper=number(choice.upper, digits, signed=True),
        n=number(choice.n, 0),
    )


def late(choice: Choice) -> str:
    """Where a figure may have in it what it is to be compared for; "" where it cannot."""
    if choice.score_of != ScoreOf.VALUE or choice.run_on is None or choice.run_on <= choice.begins:
        return ""
    return _(
        "It had begun before this was published, and was agreed on here later: what it did may be "
        "in the figure already."
    )


def known_on(choice: Choice) -> str:
    if choice.run_on is None:
        return ""
    return _("published on {day}").format(day=day(choice.run_on))


def band(choice: Choice) -> str:
    if choice.band == Band.NONE:
        return _("no band")
    limits = between(choice.band_lower, choice.band_upper, choice.digits)
    if choice.band == Band.LOTTERY and choice.entry is not None:
        return _("the lottery’s: {limits}").format(limits=limits)
    return limits


def between(lower: float | None, upper: float | None, digits: int = 1) -> str:
    """A band in points."""
    low, high = number(lower, digits, signed=True), number(upper, digits, signed=True)
    if lower is None and upper is None:
        return _("every published value")
    if lower is None:
        return _("below {upper} points").format(upper=high)
    if upper is None:
        return _("{lower} points and more").format(lower=low)
    return _("from {lower} to below {upper} points").format(lower=low, upper=high)


def reasons(choice: Choice) -> list[str]:
    """Why this one: what its own record said that day."""
    kept, said = choice.reasons, []
    if kept.get("rank") is not None:
        said.append(
            _("number {rank} on the shortlist of {day}, with a score of {score}").format(
                rank=kept["rank"],
                day=day(date.fromisoformat(kept["suggested_on"])),
                score=number(kept.get("score"), 2, signed=True),
            )
        )
    if kept.get("distance_km") is not None:
        said.append(_("{km} km away").format(km=number(kept["distance_km"], 1)))
    said += support_reasons.in_words(kept.get("reasons") or [])
    if choice.chance is not None:
        said.append(lottery_reason(choice))
    return said


def lottery_reason(choice: Choice) -> str:
    chance = number(100 * (choice.chance or 0.0), 0)
    if choice.way == Choice.Way.LOTTERY:
        return _("drawn by lot, with a chance of {chance} in 100").format(chance=chance)
    return _(
        "on the list of a lottery for this help, with a chance of {chance} in 100, and helped "
        "although no place was drawn"
    ).format(chance=chance)


# Lotteries


def lottery_rule() -> str:
    return _(
        "There are fewer places than schools that could gain by them. So nobody picks: places are "
        "drawn. Before the draw the list of schools is closed and a secret number is made; their "
        "fingerprints are published, so that neither can be changed unseen. At noon of the day "
        "the last line of the audit trail is added, which nobody knew when the number was made. "
        "Then the number is told, and anyone can draw again and find the same. Schools without a "
        "place come first next time; until then the two groups, alike but for the lot, show what "
        "the help does."
    )


def limit() -> str:
    return _(
        "What this cannot rule out: whoever runs the machine could look at the secret number, and "
        "act in the last second before noon until the result pleases. That would have to be "
        "somebody with the machine’s shell and an office here; the audit trail would show the acts."
    )


def badge(lottery: Lottery) -> Badge:
    kinds = {State.OPEN: "visit", State.DRAWN: "bright", State.PREPARED: "unsure"}
    state = State(lottery.state)
    return Badge(str(state.label), kinds.get(state, "plain"))  # type: ignore[arg-type] # kinds of badges


def standing(lottery: Lottery, counted: Counted) -> str:
    """Where it stands and what comes next, in a sentence or two."""
    on = day(lottery.draws_on)
    if lottery.state == State.PREPARED:
        return _("It waits for the ministry to agree.")
    if lottery.state == State.DECLINED:
        return _("The ministry does not agree: {why}").format(why=lottery.answer_words)
    if lottery.state == State.AGREED:
        return _("The ministry agrees. Its list is to be closed before {day}.").format(day=on)
    if lottery.state == State.CALLED_OFF:
        return _("Called off: {why}").format(why=lottery.called_off_why)
    if lottery.state == State.OPEN:
        return _(
            "{schools} schools are on the list for {places} places. It is drawn at noon on {day}."
        ).format(schools=counted.schools, places=lottery.places, day=on)
    return _drawn(lottery, counted)


def _drawn(lottery: Lottery, counted: Counted) -> str:
    said = _("Drawn on {day}: {places} of {schools} schools have a place.").format(
        day=day(lottery.draws_on),
        places=counted.places,
        schools=counted.schools,
    )
    if counted.waiting:
        more = ngettext(
            "{n} school comes first next time.",
            "{n} schools come first next time.",
            counted.waiting,
        )
        said += " " + more.format(n=counted.waiting)
    else:
        said += " " + _("Every school that could has one, so that there is nobody to compare with.")
    if counted.passed:
        more = ngettext(
            "{n} school on the list closed or let its place go.",
            "{n} schools on the list closed or let their place go.",
            counted.passed,
        )
        said += " " + more.format(n=counted.passed)
    return said


def among(lottery: Lottery, digits: int = 1) -> str:
    """Among which schools it is drawn."""
    said = _("Open schools whose published value in {subject} is: {band}.").format(
        subject=lottery.priority.subject, band=between(lottery.lower, lottery.upper, digits)
    )
    if lottery.need_at_least:
        said += " " + _("Help is likely well spent there: {n} in 100 at least.").format(
            n=lottery.need_at_least
        )
    if lottery.area is not None:
        said += " " + _("In {area}.").format(area=lottery.area.name)
    if lottery.by_area:
        said += " " + _("Each area has its share of the places.")
    if lottery.follows is not None:
        said += " " + _("Schools without a place in “{title}” come first.").format(
            title=lottery.follows.title
        )
    return said


def left_out(count: int, words: str) -> str:
    """How many schools are not on the list for a reason; small numbers are not told."""
    few = _("fewer than {n}").format(n=disclosure.FEWEST_SCHOOLS)
    shown = few if 0 < count < disclosure.FEWEST_SCHOOLS else number(count, 0)
    return f"{words}: {shown}"


def line(row: LotteryEntry, lottery: Lottery, *, taken: bool = False) -> Badge:
    """How a school stands in a lottery."""
    if row.out or (row.gone and not row.drawn):
        return Badge(_("closed, passed over"))
    if row.gone:
        return Badge(_("drawn, let its place go"))
    if lottery.state != State.DRAWN:
        return Badge(_("on the list"))
    if row.place:
        if taken:
            return Badge(_("has a place, help began"), "bright")
        return Badge(_("has a place") if row.drawn else _("moved up to a place"), "visit")
    if taken:
        return Badge(_("helped without a place"), "unsure")
    return Badge(_("comes first next time"))


def value(row: LotteryEntry, digits: int = 1) -> str:
    if row.value is None:
        return _("not known")
    return _("{value} ({lower} to {upper}; {n} pupils)").format(
        value=number(row.value, digits, signed=True),
        lower=number(row.lower, digits, signed=True),
        upper=number(row.upper, digits, signed=True),
        n=number(row.n, 0),
    )
