"""What the pages of lotteries show."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import choice_draw, choice_seed
from brightspots_web.evidence import choice_file as file
from brightspots_web.evidence import choice_lottery_queries as queries
from brightspots_web.evidence import choice_words as words
from brightspots_web.evidence.choice_forms import AnswerForm, LotteryForm, WhyForm
from brightspots_web.evidence.choice_pages import lottery_url as url
from brightspots_web.evidence.models import Lottery, LotteryEntry
from brightspots_web.insight import queries as insight
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = Lottery.State
MOST_LISTED = 100
"""So many schools stand on the page; the files have all."""


def crumbs(*further: Link | str) -> list[Link]:
    first = Link(_("Lotteries"), reverse("evidence:lotteries") if further else "")
    home = Link(_("Evidence"), reverse("evidence:home"))
    return [home, first, *(each if isinstance(each, Link) else Link(each) for each in further)]


def table(lotteries: Iterable[Lottery], *, filtered: bool) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.title, url(each)),
            each.get_kind_display(),
            each.priority.title,
            each.places,
            day(each.draws_on),
            words.badge(each),
        ]
        for each in lotteries
    ]
    return Table(
        _("Lotteries"),
        [
            Column(_("Lottery")),
            Column(_("What begins then")),
            Column(_("Priority")),
            Column(_("Places"), numeric=True),
            Column(_("Day of the draw")),
            Column(_("How it stands")),
        ],
        rows,
        empty=_("None fits. Take a filter away.")
        if filtered
        else _("No places have been drawn by lot yet."),
    )


def form(acting: Appointment | None, *args: Any, **kwargs: Any) -> LotteryForm:
    """The form of a lottery with what this person may choose from."""
    lottery: Lottery | None = kwargs.pop("of", None)
    priorities = queries.priorities_to_draw_for()
    if lottery is not None and lottery.priority not in priorities:
        priorities = [lottery.priority, *priorities]
    return LotteryForm(
        *args,
        priorities=priorities,
        areas=list(directory.areas_visible_to(acting).order_by("path")),
        earlier=queries.earlier_ones(acting),
        **kwargs,
    )


def page(lottery: Lottery, acting: Appointment | None, **sent: Any) -> Row:
    """Everything the page of a lottery needs; `sent` are forms to be shown again."""
    counted = queries.counted(lottery)
    shown = _offered(lottery, acting, sent)
    prepares = queries.prepares(acting)
    is_open, drawn = lottery.state == State.OPEN, lottery.state == State.DRAWN
    due = is_open and timezone.now() >= queries.hour_of(lottery)
    lost = (
        prepares and is_open and not choice_seed.is_there(lottery.code, lottery.seed_hash)
    )  # fmt: skip
    return {
        "lottery": lottery,
        "badge": words.badge(lottery),
        "standing": words.standing(lottery, counted),
        "facts": _facts(lottery),
        "among": words.among(lottery, _digits(lottery)),
        "left_out": _left_out(lottery),
        "pool": _pool(lottery, acting) if prepares and lottery.state in queries.BEFORE else None,
        "strata": _strata(counted, drawn) if lottery.by_area and lottery.opened_at else None,
        "committed": _committed(lottery),
        "drawn": drawn,
        "command": f"brightspots lottery verify lottery-{lottery.pk}.json",
        "lines": _lines(lottery, acting) if lottery.opened_at else None,
        "own": _own(lottery, acting),
        "may_change": prepares and lottery.state in queries.BEFORE,
        "may_open": prepares and lottery.state == State.AGREED,
        "may_draw": prepares and due and not lost,
        "lost": lost,
        "names": queries.sees_names(acting) and lottery.opened_at is not None,
        "rule": words.lottery_rule(),
        "limit": words.limit(),
        "open_forms": sorted(sent),
        "refused": [_refused(each) for name, each in sent.items() if name not in shown],
        "breadcrumb": crumbs(lottery.title),
        **shown,
    }


def _refused(sent: forms.Form) -> Row:
    """What was sent too late for its form to stand on the page: why not, and what was typed."""
    problems = [str(each) for errors in sent.errors.values() for each in errors]
    typed = [sent.data.get(name, "") for name in ("words", "why")]
    return {"problems": problems, "typed": [each for each in typed if each]}


def _offered(lottery: Lottery, acting: Appointment | None, sent: Row) -> Row:
    seen = {"seen": lottery.version}
    found: Row = {}
    if queries.answers(acting) and lottery.state in (State.PREPARED, State.AGREED):
        found["answer_form"] = sent.get("answer_form") or AnswerForm(
            initial=seen, auto_id="answer_%s"
        )
    if queries.prepares(acting) and lottery.state in (*queries.BEFORE, State.OPEN):
        found["off_form"] = sent.get("off_form") or WhyForm(initial=seen, auto_id="off_%s")
    return found


def _digits(lottery: Lottery) -> int:
    scale = insight.scales(insight.current_run()).get(lottery.priority.subject)
    return scale.digits if scale else 1


def _facts(lottery: Lottery) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [
        (_("Priority"), lottery.priority.title),
        (_("What begins then"), lottery.get_kind_display()),
        (_("Places"), lottery.places),
        (_("Drawn at noon on"), day(lottery.draws_on)),
        (_("Prepared by"), lottery.by),
    ]
    if lottery.answered_at is not None and lottery.state != State.DECLINED:
        who = _("{who}, {day}").format(who=lottery.answered_by, day=day(lottery.answered_at))
        facts.append((_("Agreed by the ministry"), who))
    if lottery.opened_at is not None:
        who = _("{who}, {day}").format(who=lottery.opened_by, day=day(lottery.opened_at))
        facts.append((_("List closed"), who))
        facts.append((_("Values published on"), day(lottery.run_on)))
    return facts


def _left_out(lottery: Lottery) -> list[str]:
    if lottery.opened_at is None:
        return []
    return [
        words.left_out(lottery.too_few, _("Schools without a figure that may be shown")),
        words.left_out(lottery.helped, _("Schools that have such help now")),
    ]


def _pool(lottery: Lottery, acting: Appointment | None) -> Row:
    """Who would be on the list today."""
    found = queries.pool_counts(lottery, acting)
    return {
        "problem": found.problem,
        "schools": found.schools,
        "waited": found.waited,
        "enough": found.schools > lottery.places,
        "strata": list(found.strata.items()) if lottery.by_area else [],
    }


def _strata(counted: queries.Counted, drawn: bool) -> Table:
    """Schools of each area, and once it is drawn their places."""
    columns = [Column(_("Area")), Column(_("Schools"), numeric=True)]
    if not drawn:
        return Table(_("By area"), columns, [[name, n] for name, n, _places in counted.strata])
    columns.append(Column(_("Places"), numeric=True))
    return Table(_("By area"), columns, [list(each) for each in counted.strata])


def _committed(lottery: Lottery) -> list[tuple[str, Cell]]:
    """What was published before, and what was told after."""
    if not lottery.seed_hash:
        return []
    found: list[tuple[str, Cell]] = [
        (_("Fingerprint of the secret number"), lottery.seed_hash),
        (_("Fingerprint of the list"), lottery.list_hash),
        (_("Fingerprint of the schools’ numbers"), choice_draw.labels_hash(lottery.labels_key)),
    ]
    if lottery.seed:
        found += [
            (_("The number, told by the draw"), lottery.seed),
            (_("Last line of the audit trail before noon"), lottery.beacon),
        ]
    return found


def _lines(lottery: Lottery, acting: Appointment | None) -> Table | None:
    """The lines with names that somebody reads who looks after schools."""
    if not may(acting, Capability.SEE_AREA):
        return None
    taken, digits = queries.taken_up(lottery), _digits(lottery)
    records = queries.prepares(acting) and lottery.state == State.DRAWN
    rows: list[list[Cell]] = []
    for each in queries.entries_seen_by(acting, lottery)[:MOST_LISTED]:
        cells: list[Cell] = [
            _name(each), each.label, *([each.stratum] if lottery.by_area else []),
            words.value(each, digits), words.line(each, lottery, taken=each.pk in taken),
        ]  # fmt: skip
        if records:
            cells.append(_let_go(each, lottery, taken))
        rows.append(cells)
    if not rows:
        return None
    columns = [
        Column(_("School")), Column(_("Number")), *([Column(_("Area"))] if lottery.by_area else []),
        Column(_("Published value, points")), Column(_("How it stands")),
    ]  # fmt: skip
    if records:
        columns.append(Column(_("Place let go")))
    exports = export_links("evidence:lottery_export", lottery.pk)
    return Table(_("Schools on the list"), columns, rows, exports=exports)


def _name(each: LotteryEntry) -> Cell:
    if each.school is None:
        return each.name
    return Link(each.name, reverse("home:school", args=[each.school.code]))


def _let_go(each: LotteryEntry, lottery: Lottery, taken: set[int]) -> Cell:
    if each.gone or each.out:
        return each.why
    if lottery.state != State.DRAWN or each.pk in taken or not each.place:
        return ""
    return Link(_("Write down"), reverse("evidence:lottery_let_go", args=[each.pk]))


def _own(lottery: Lottery, acting: Appointment | None) -> Row | None:
    """How the person's own school stands."""
    if acting is None or acting.school_id is None or lottery.opened_at is None:
        return None
    mine = queries.entries_seen_by(acting, lottery).filter(school=acting.school_id).first()
    if mine is None:
        return None
    taken = mine.pk in queries.taken_up(lottery)
    offered = lottery.state == State.DRAWN and mine.place and queries.may_let_go(acting, mine)
    let_go_url = ""
    if offered and not taken:
        let_go_url = reverse("evidence:lottery_let_go", args=[mine.pk])
    return {
        "line": mine,
        "badge": words.line(mine, lottery, taken=taken),
        "let_go_url": let_go_url,
    }


# Files


def told(lottery: Lottery, *, names: bool) -> file.Told:
    """What the lottery's file tells; with names only for those who may read them all."""
    lines = queries.entries_of(lottery)
    beacon_at = lottery.beacon_at.isoformat() if lottery.beacon_at else ""
    return file.Told(
        title=lottery.title,
        places=lottery.places,
        seed_hash=lottery.seed_hash,
        list_hash=lottery.list_hash,
        labels_hash=choice_draw.labels_hash(lottery.labels_key),
        opened_at=lottery.opened_at.isoformat() if lottery.opened_at else "",
        draws_at=queries.hour_of(lottery).isoformat(),
        entries=tuple(queries.as_drawn(lines)),
        seed=lottery.seed,
        beacon=lottery.beacon,
        beacon_at=beacon_at,
        drawn=tuple(each.label for each in lines if each.drawn),
        now=tuple(each.label for each in lines if each.place),
        labels_key=lottery.labels_key if names else "",
        codes={each.label: each.code for each in lines} if names else {},
    )


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("label", _("Number")),
        ExportColumn("area", _("Area")),
        ExportColumn("value", _("Published value, points"), "number"),
        ExportColumn("lower", _("Likely from"), "number"),
        ExportColumn("upper", _("Likely to"), "number"),
        ExportColumn("n", _("Pupils"), "integer"),
        ExportColumn("position", _("Order"), "integer"),
        ExportColumn("chance", _("Chance of a place"), "number"),
        ExportColumn("drawn", _("Drawn")),
        ExportColumn("state", _("How it stands")),
        ExportColumn("why", _("Why passed over")),
    ]


def rows(lottery: Lottery, acting: Appointment | None) -> Iterable[Row]:
    taken = queries.taken_up(lottery)
    for each in queries.entries_seen_by(acting, lottery):
        names = ("code", "label", "value", "lower", "upper", "n", "position", "chance", "why")
        yield {name: getattr(each, name) for name in names} | {
            "school": each.name,
            "area": each.stratum,
            "drawn": _("yes") if each.drawn else _("no"),
            "state": words.line(each, lottery, taken=each.pk in taken).label,
        }
