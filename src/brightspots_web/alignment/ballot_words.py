"""What is said about ballots: places, why a vote cannot be taken, what happened in a round."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment.ballot_count import Counted, Stage
from brightspots_web.alignment.models import Agreement, Ballot, Tier
from brightspots_web.shared.charts import number
from brightspots_web.shared.words import day


def place(number_: int) -> str:
    """A place on the paper, in words as far as there are short ones."""
    words = [
        _("first choice"), _("second choice"), _("third choice"), _("fourth choice"),
        _("fifth choice"), _("sixth choice"),
    ]  # fmt: skip
    if number_ <= len(words):
        return words[number_ - 1]
    return _("choice number {n}").format(n=number_)


def last_day(ballot: Ballot) -> str:
    """The last day on which one can vote."""
    return day(queries.ends_on(ballot) - timedelta(days=1))


def closed(ballot: Ballot) -> str:
    """Why nobody can vote any more, and since when."""
    return _("The ballot closed at the end of {day}: no vote can be taken any more.").format(
        day=last_day(ballot)
    )


VOTED = {
    Tier.SCHOOL.value: lambda: _(
        "A vote has been cast for your school. It is final, and counts once."
    ),
    Tier.PARTNERSHIP.value: lambda: _(
        "A vote has been cast for your partnership. It is final, and counts once."
    ),
    Tier.DISTRICT.value: lambda: _(
        "A vote has been cast for your district. It is final, and counts once."
    ),
    Tier.MINISTRY.value: lambda: _(
        "A vote has been cast for the ministry. It is final, and counts once."
    ),
}  # fmt: skip


def voted(tier: str) -> str:
    return VOTED[tier]()


def not_yet_closed(ballot: Ballot) -> str:
    return _("Votes can be cast until the end of {day}. They are counted after that.").format(
        day=last_day(ballot)
    )


def cannot_open(agreement: Agreement) -> str:
    """Why no ballot of this agreement can be opened today; "" where one can."""
    if calendar.has_ballot(agreement):
        return _("There is a ballot of this cycle already. A cycle has one.")
    if calendar.phase_of(agreement) != "ballot":
        return _(
            "A ballot can be opened from {first} to {last}, as the calendar has it. Change the "
            "calendar first if that is too late or too early."
        ).format(
            first=day(agreement.ballot_from), last=day(agreement.adopt_from - timedelta(days=1))
        )
    return ""


def too_few(proposals: int, seats: int) -> str:
    """Why so few proposals are no ballot."""
    said = ngettext(
        "There is {n} proposal on the table, and {seats} are to be chosen.",
        "There are {n} proposals on the table, and {seats} are to be chosen.",
        proposals,
    ).format(n=proposals, seats=seats)
    if proposals == seats == 3:
        return _("{said} With nothing to choose from, nobody needs to vote: choose two.").format(
            said=said
        )
    return _(
        "{said} With nothing to choose from, nobody needs to vote. Ask for more proposals, and "
        "give them time in the calendar; or adopt what is there, and say why."
    ).format(said=said)


def few_of_a_tier(tier: str, voters: int) -> str:
    """What somebody should know whose paper can be told from the others; "" where it cannot."""
    if voters >= queries.FEWEST_IN_AREA:
        return ""
    return _(
        "Papers are published without a name, but with their tier: votes of so few ({tier}) can be "
        "told apart. Vote as somebody whose vote may be known."
    ).format(tier=Tier(tier).label)


def weights(given: Mapping[str, int]) -> str:
    """`One vote of schools counts 1, of districts 5.`, in words."""
    parts = [
        _("{tier}: {weight}").format(tier=Tier(tier).label, weight=given[tier])
        for tier in Tier.values
        if given.get(tier, 0) > 0
    ]
    return ", ".join(parts)


# The count in words


def votes(value: Fraction) -> str:
    """A number of votes: whole where it is whole, else to two places."""
    return number(float(value), 0 if value.denominator == 1 else 2)


def counted(count: Fraction) -> str:
    plural = 1 if count == 1 else 2
    return ngettext("{n} vote", "{n} votes", plural).format(n=votes(count))


def what_happened(stage: Stage, titles: Mapping[int, str]) -> str:
    """What happened in a round, and why, in plain words."""
    if stage.who is None:
        said = [_("Every paper counts for its first choice.")]
    else:
        name = titles[stage.who]
        if stage.what == "surplus":
            words = _(
                "“{title}” has more votes than it needs. What is beyond the quota goes on to the "
                "next choice on its papers, each with the same part of its value."
            )
        else:
            words = _(
                "“{title}” has the fewest votes and is out. Its papers go on to their next choice."
            )
        said = [words.format(title=name), *_tie(stage)]
    said += _who_was_chosen(stage, titles)
    return " ".join(said)


def _tie(stage: Stage) -> list[str]:
    if stage.tie == "earlier":
        return [_("Others stood level with it: the last round in which they differed decided.")]
    if stage.tie == "lot":
        return [
            _("Others stood level with it in every round: the lot decided, from the number drawn "
              "before the ballot.")
        ]  # fmt: skip
    return []


def _who_was_chosen(stage: Stage, titles: Mapping[int, str]) -> list[str]:
    if not stage.chosen:
        return []
    names = listed([titles[key] for key in stage.chosen])
    if stage.last:
        return [
            _("No more are left than there are places: chosen are {titles}.").format(titles=names)
        ]
    return [_("Has the quota and is chosen: {titles}.").format(titles=names)]


def listed(titles: Sequence[str]) -> str:
    """`“A”, “B” and “C”`."""
    quoted = [_("“{title}”").format(title=each) for each in titles]
    if len(quoted) < 2:
        return "".join(quoted)
    return _("{first} and {last}").format(first=", ".join(quoted[:-1]), last=quoted[-1])


def result(count: Counted, titles: Mapping[int, str]) -> str:
    """The result in one sentence."""
    if not count.chosen:
        return _("Nobody ranked anything: nothing was chosen.")
    return _("Chosen: {titles}.").format(titles=listed([titles[key] for key in count.chosen]))
