"""What the ceremony of a partnership shows: what was promised, what came of it, what was learned.

By the schools' names and in no other order. Scores stand beside each other as they were given;
nothing is added up, averaged or ranked.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import ceremony_page_queries as queries
from brightspots_web.accountability import ceremony_queries as scoring
from brightspots_web.accountability import ceremony_words as words
from brightspots_web.accountability import pledge_pages, pledge_words
from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability import pledge_value_queries as values
from brightspots_web.accountability.ceremony_page_forms import LearnedForm
from brightspots_web.accountability.ceremony_page_queries import Ceremony
from brightspots_web.accountability.pledge_models import (
    Pledge,
    PledgeScore,
    PledgeSet,
    PledgeSettings,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Cycle, Partnership
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Link
from brightspots_web.shared.exports import Column, export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Pledge.State
Half = Pledge.Half
Peer = PledgeScore.State


def url(code: str, cycle: int) -> str:
    return reverse("accountability:ceremony", args=[code, cycle])


def rule_in_words() -> str:
    """What a ceremony is, and what it is not."""
    return _(
        "Schools tell each other what they kept, partly kept and did not keep, and what they "
        "learned. They stand by name. Nothing is ranked, added up or averaged, and nothing here "
        "is tied to anybody’s pay."
    )


@dataclass(frozen=True)
class Read:
    """What one person may read of a ceremony, fetched once for the page, the PDF and the files."""

    acting: Appointment | None
    partnership: Partnership
    cycle: Cycle
    promises: Sequence[Pledge]
    rule: PledgeSettings
    scores: dict[int, list[PledgeScore]] = field(default_factory=dict)
    opened: set[int] = field(default_factory=set)
    """Other schools whose published values this person may see."""
    missing: dict[int, set[str]] = field(default_factory=dict)
    later: dict[int, Pledge] = field(default_factory=dict)
    earlier: set[int] = field(default_factory=set)
    taken_back: set[str] = field(default_factory=set)
    """Analyses that were withdrawn after a value was drawn from them."""

    def sees(self, pledge: Pledge) -> bool:
        """As `pledge_queries.sees_values`, without a statement for each promise."""
        return pledge.other_school_id is None or pledge.other_school_id in self.opened

    def open_scores(self, pledge: Pledge) -> list[PledgeScore]:
        return scoring.open_scores(self.acting, pledge, self.scores[pledge.pk])

    def sets(self) -> Iterator[tuple[PledgeSet, list[Pledge]]]:
        """Each school's set with its promises, in the order of the names."""
        found: dict[int, list[Pledge]] = {}
        for each in self.promises:
            found.setdefault(each.set_id, []).append(each)
        for together in found.values():
            yield together[0].set, together


def read(acting: Appointment | None, partnership: Partnership, cycle: Cycle) -> Read:
    found = queries.promised_in(acting, partnership, cycle)
    scores = scoring.scores_in(found)
    known = [each.baseline for each in found] + [each.self_known for each in found]
    known += [each.known for rows in scores.values() for each in rows]
    runs = {str(each["run"]) for each in known if each.get("run")}
    return Read(
        acting,
        partnership,
        cycle,
        found,
        pledges.settings(),
        scores,
        pledges.open_to(acting, [each.other_school_id or 0 for each in found]),
        queries.halves_missing({each.set_id for each in found}),
        queries.carried_on(acting, found),
        queries.readable(acting, [each.carried_from_id for each in found]),
        {each for each in runs if values.taken_back({"run": each})},
    )


# The page


def crumbs(*further: Link) -> list[Link]:
    return pledge_pages.crumbs(
        Link(_("Ceremonies"), reverse("accountability:ceremonies")), *further
    )


def page(found: Read, form: LearnedForm | None = None) -> Row:
    """Everything the page of a ceremony needs; `form` is one to be shown again."""
    own = queries.own_set(found.acting, found.partnership, found.cycle)
    if own is not None and form is None:
        form = LearnedForm(initial={"seen": own.version, "learned": own.learned})
    address = [found.partnership.code, found.cycle.pk]
    return {
        "partnership": found.partnership,
        "cycle": found.cycle,
        "page_url": url(found.partnership.code, found.cycle.pk),
        "breadcrumb": crumbs(Link(f"{found.partnership.name}, {found.cycle.name}")),
        "when": _("{first} to {last}").format(
            first=day(found.cycle.starts), last=day(found.cycle.ends)
        ),
        "still_runs": found.cycle.ends > directory.today(),
        "rule": rule_in_words(),
        "scale": words.scale(found.rule) if _scored(found) else "",
        "points": pledge_words.points() if any(each.baseline for each in found.promises) else "",
        "schools": [school_row(found, *each) for each in found.sets()],
        "own": own,
        "own_listed": own is not None and any(each.set_id == own.pk for each in found.promises),
        "learned_form": form if own is not None else None,
        "learned_url": reverse("accountability:ceremony_learned", args=address),
        "pdf_url": reverse("accountability:ceremony_pdf", args=address),
        "exports": export_links("accountability:ceremony_export", *address),
    }


def _scored(found: Read) -> bool:
    return any(each.self_score is not None for each in found.promises)


def school_row(found: Read, of_set: PledgeSet, promises: Iterable[Pledge]) -> Row:
    return {
        "set": of_set,
        "url": pledge_pages.set_url(of_set),
        "missing": half_missing(found.missing[of_set.pk]),
        "promises": [promise_row(found, each) for each in promises],
        "learned": of_set.learned,
    }


def half_missing(missing: set[str]) -> str:
    """Which half was not promised, or is no longer; "" where both stand."""
    if missing == {Half.OTHER}:
        return _("The second half does not stand: nothing is promised for another school.")
    if missing == {Half.OWN}:
        return _("The first half does not stand: nothing is promised for the own school.")
    return _("Nothing that was promised stands.") if missing else ""


def promise_row(found: Read, pledge: Pledge) -> Row:
    sees = found.sees(pledge)
    withdrawn = pledge.state == State.WITHDRAWN
    return {
        "pledge": pledge,
        "url": pledge_pages.url(pledge),
        "half": pledge_words.half(pledge),
        "text": pledge.promise,
        "target": pledge_words.from_to(pledge, sees=sees),
        "badge": outcome_badge(pledge),
        "withdrawn": pledge_words.standing(pledge, []) if withdrawn else "",
        "outcome": words.outcome(pledge),
        "outcome_words": pledge.outcome_words,
        "baseline": value(found, pledge.baseline) if sees else "",
        "not_told": "" if sees else not_told(pledge),
        "scores": _scores(found, pledge, sees=sees),
        "said": said(found, pledge),
        "waited_for": waited_for(found, pledge),
        "carried": _carried(found, pledge),
    }


def outcome_badge(pledge: Pledge) -> Badge:
    """What became of it; before its school says so, how it stands. All look alike."""
    if pledge.outcome and pledge.state != State.WITHDRAWN:
        return Badge(str(pledge.get_outcome_display()), "visit")
    return pledge_words.badge(pledge)


def not_told(pledge: Pledge) -> str:
    school = pledge.other_school or pledge.set.school
    return _(
        "The published values of {school} are told to those who may open the page of that school."
    ).format(school=school.name)


def value(found: Read, known: Any) -> str:
    """A value as it was known then, and whether its analysis was taken back since."""
    text = pledge_words.value(known)
    if known and str(known.get("run", "")) in found.taken_back:
        return text + " " + _("(This analysis was taken back since.)")
    return text


def _known(found: Read, pledge: Pledge, known: Any) -> str:
    """The value known at a score, in full where it is another than the baseline."""
    if known and known == pledge.baseline:
        return _("the same as the baseline")
    return value(found, known)


def _scores(found: Read, pledge: Pledge, *, sees: bool) -> list[Row]:
    """The school's own score first, then each peer's, by the names of their schools."""
    if pledge.self_score is None:
        return []
    own = {
        "who": _("{school} itself").format(school=pledge.set.school.name),
        "points": words.points(pledge.self_score, found.rule),
        "reason": pledge.self_reason,
        "known": _known(found, pledge, pledge.self_known) if sees else "",
        "on": day(pledge.self_at),
    }
    return [
        own,
        *(
            {
                "who": _("A peer of {school}").format(school=each.school.name),
                "points": words.points(each.score, found.rule),
                "reason": each.reason,
                "known": _known(found, pledge, each.known) if sees else "",
                "on": day(each.scored_at),
            }
            for each in found.open_scores(pledge)
            if each.score is not None
        ),
    ]


def said(found: Read, pledge: Pledge) -> str:
    """How the scores stand beside each other, in words."""
    scores = found.scores[pledge.pk]
    if scoring.is_blind(found.acting, pledge, scores):
        return words.blind()
    if pledge.self_score is None and pledge.state in pledges.STANDS:
        return _("Its school has not scored it yet.")
    return words.said(pledge, scores, found.rule)


def waited_for(found: Read, pledge: Pledge) -> str:
    """What else is known of peers: those still asked, and scores that were set aside."""
    scores = found.scores[pledge.pk]
    if scoring.is_blind(found.acting, pledge, scores):
        return ""
    said = []
    asked = sum(each.state == Peer.ASKED for each in scores)
    if asked and scoring.is_open(pledge):
        said.append(
            ngettext(
                "{n} peer is asked and has not scored yet.",
                "{n} peers are asked and have not scored yet.",
                asked,
            ).format(n=number(asked, 0))
        )
    if any(each.state == Peer.ASIDE for each in scores):
        said.append(
            _("A score was set aside for a conflict of interest; its page says who did, and why.")
        )
    return " ".join(said)


def _carried(found: Read, pledge: Pledge) -> list[Link]:
    """Where it comes from and where it goes on, with a way there for those who may read it."""
    links = []
    if pledge.carried_from is not None:
        text = _("carried over from {cycle}").format(cycle=pledge.carried_from.set.cycle.name)
        there = pledge_pages.url(pledge.carried_from)
        links.append(Link(text, there if pledge.carried_from_id in found.earlier else ""))
    later = found.later.get(pledge.pk)
    if later is not None:
        text = _("goes on in {cycle}").format(cycle=later.set.cycle.name)
        links.append(Link(text, pledge_pages.url(later)))
    return links


# The list


def list_page(acting: Appointment | None, listed: Sequence[Ceremony]) -> Row:
    partnership, cycle = queries.own_partnership(acting), queries.cycle_now()
    now = None
    if partnership is not None and cycle is not None:
        now = Link(f"{partnership.name}, {cycle.name}", url(partnership.code, cycle.pk))
    return {
        "breadcrumb": pledge_pages.crumbs(_("Ceremonies")),
        "rule": rule_in_words(),
        "now": now,
        "cycles": _by_cycle(listed),
    }


def _by_cycle(listed: Sequence[Ceremony]) -> list[Row]:
    """The partnerships under the cycle in which they promised."""
    found: dict[int, Row] = {}
    for each in listed:
        row = found.setdefault(
            each.cycle,
            {
                "name": each.cycle_name,
                "when": _("{first} to {last}").format(first=day(each.starts), last=day(each.ends)),
                "partnerships": [],
            },
        )
        row["partnerships"].append(Link(each.partnership, url(each.code, each.cycle)))
    return list(found.values())


def home_card(acting: Appointment | None) -> Row | None:
    """Ceremonies on the front page of the three directions."""
    if acting is None:
        return None
    return {
        "heading": _("Ceremonies"),
        "text": _("At the end of a cycle schools tell what they kept, and what they learned."),
        "url": reverse("accountability:ceremonies"),
        "link": _("See the ceremonies"),
    }


# Files


def columns() -> list[Column]:
    return [
        Column("school", _("School")),
        Column("complete", _("Both halves promised")),
        Column("half", _("For whom")),
        Column("promise", _("Promise")),
        Column("indicator", _("Measure")),
        Column("target", _("Target"), "number"),
        Column("due", _("By when"), "date"),
        Column("state", _("How it stands")),
        Column("withdrawn", _("Why it was withdrawn")),
        Column("outcome", _("What became of it")),
        Column("outcome_words", _("In the school’s words")),
        Column("who", _("Who scores")),
        Column("score", _("Score"), "integer"),
        Column("highest", _("Of"), "integer"),
        Column("reason", _("Why")),
        Column("scored_on", _("Scored on"), "date"),
        Column("what", _("Which published value")),
        Column("value", _("Published value"), "number"),
        Column("low", _("Likely from"), "number"),
        Column("high", _("Likely to"), "number"),
        Column("n", _("Results of pupils"), "integer"),
        Column("on", _("Published on")),
        Column("taken_back", _("Analysis taken back since")),
        Column("learned", _("What the school learned")),
    ]


def rows(found: Read) -> Iterator[Row]:
    """A line for each score with the value known then, one for the baseline; never an average."""
    for of_set, promises in found.sets():
        missing = found.missing[of_set.pk]
        for each in promises:
            base = {
                "school": of_set.school.name,
                "complete": _("no") if missing else _("yes"),
                "half": pledge_words.half(each),
                "promise": each.promise,
                "indicator": each.indicator.name,
                "target": each.target,
                "due": each.due,
                "state": str(each.get_state_display()),
                "withdrawn": each.withdrawn_why,
                "outcome": str(each.get_outcome_display()) if each.outcome else "",
                "outcome_words": each.outcome_words,
                "learned": of_set.learned,
            }
            yield from (base | line for line in _lines(found, each))


def _lines(found: Read, pledge: Pledge) -> Iterator[Row]:
    yield {"what": _("Baseline"), **_value_cells(found, pledge, pledge.baseline)}
    if pledge.self_score is None:
        return
    highest = found.rule.highest_score
    then = _("Known at the score")
    yield {
        "who": _("{school} itself").format(school=pledge.set.school.name),
        "score": pledge.self_score,
        "highest": highest,
        "reason": pledge.self_reason,
        "scored_on": pledge.self_at,
        "what": then,
        **_value_cells(found, pledge, pledge.self_known),
    }
    for each in found.open_scores(pledge):
        yield {
            "who": _("A peer of {school}").format(school=each.school.name),
            "score": each.score,
            "highest": highest,
            "reason": each.reason,
            "scored_on": each.scored_at,
            "what": then,
            **_value_cells(found, pledge, each.known),
        }


def _value_cells(found: Read, pledge: Pledge, known: Any) -> Row:
    if not known or not found.sees(pledge):
        return {}
    gone = str(known.get("run", "")) in found.taken_back
    cells = {name: known.get(name) for name in ("value", "low", "high", "n", "on")}
    return cells | {"taken_back": _("yes") if gone else _("no")}


def note() -> str:
    """What stands below the lines of a file."""
    return " ".join([rule_in_words(), pledge_words.points()])
