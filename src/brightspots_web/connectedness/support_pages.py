"""What a school and its head see of support: asking and giving side by side, in equal standing."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness import support_reasons as reasons
from brightspots_web.connectedness import support_words as words
from brightspots_web.connectedness.models import (
    Deployment,
    DeploymentView,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.connectedness.support_states import LIVE_MATCH, OPEN_REQUEST
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Role

Row = dict[str, Any]


def school_page(school: School, acting: Appointment | None) -> Row:
    """One school's support: what waits for its answer, what it asks for, what it gives."""
    deployments = list(queries.deployments_of(school))
    return {
        "school": school,
        "waiting": _waiting(school, deployments),
        "requests": _requests(list(queries.asked_by(school))),
        "offers": _offers(list(queries.offered_by(school))),
        "received": _deployments(
            [each for each in deployments if each.receiving_id == school.pk], receiving=True
        ),
        "given": _deployments(
            [each for each in deployments if each.giving_id == school.pk], receiving=False
        ),
        "partnership": _of_the_partnership(acting),
        "exports": export_links("connectedness:support_export"),
    }


def _of_the_partnership(acting: Appointment | None) -> Table | None:
    """For a system leader: what the partnership's other schools ask for."""
    if acting is None or acting.role != Role.SYSTEM_LEADER:
        return None
    rows: list[list[Cell]] = [
        [
            Link(each.school.name, reverse("connectedness:support_request", args=[each.pk])),
            each.priority.title,
            words.day(each.asked_at),
            words.request_badge(each),
        ]
        for each in queries.asked_in_partnership(acting)
    ]
    return Table(
        _("What schools of my partnership ask for"),
        [Column(_("School")), Column(_("Priority")), Column(_("Since")), Column(_("State"))],
        rows,
        empty=_("Nothing at this time."),
    )


def _waiting(school: School, deployments: list[Deployment]) -> list[Row]:
    """What the school is asked to answer, the oldest first."""
    rows = [
        {
            "text": _("Support is proposed to your school at “{priority}”.").format(
                priority=each.priority.title
            ),
            "url": reverse("connectedness:support_request", args=[each.pk]),
            "link": _("Agree, or say why not"),
        }
        for each in queries.asked_by(school).filter(
            state=SupportRequest.State.ASKED, agreed_at__isnull=True
        )
    ]
    rows += [row for match in queries.put_to(school) if (row := _to_answer(match, school))]
    proposed = queries.extensions_put_to(school)
    said = queries.views_said(deployments)
    for each in deployments:
        row = _to_do(each, school, proposed, said)
        if row:
            rows.append(row)
    return rows


def _to_answer(match: SupportMatch, school: School) -> Row | None:
    asks = match.request.school_id == school.pk
    other = match.offer.school if asks else match.request.school
    url = reverse("connectedness:support_request", args=[match.request_id])
    if match.state == SupportMatch.State.ACCEPTED:
        text = _("You and {school} have both accepted. Agree on the aim, the days and the end.")
        return {"text": text.format(school=other.name), "url": url, "link": _("Agree on the terms")}
    if (match.asker_accepted_at if asks else match.giver_accepted_at) is not None:
        return None
    if asks:
        text = _("{school} may be the school to support yours.")
    else:
        text = _("{school} asks for what you offer.")
    return {"text": text.format(school=other.name), "url": url, "link": _("See why, and answer")}


def _to_do(
    deployment: Deployment, school: School, proposed: set[int], said: set[tuple[int, str]]
) -> Row | None:
    url = reverse("connectedness:support_deployment", args=[deployment.pk])
    giving = deployment.giving_id == school.pk
    other = deployment.receiving if giving else deployment.giving
    if deployment.state == Deployment.State.RUNNING:
        if deployment.pk in proposed:
            text = _("{school} proposes a later end of the support.").format(school=other.name)
            return {"text": text, "url": url, "link": _("See why, and answer")}
        if not giving or deployment.exit_on > directory.today():
            return None
        text = _("Your support of {school} was to end on {day}.").format(
            school=other.name, day=words.day(deployment.exit_on)
        )
        return {"text": text, "url": url, "link": _("Write the report")}
    side = DeploymentView.Side.GIVING if giving else DeploymentView.Side.RECEIVING
    if (deployment.pk, str(side)) in said:
        return None
    text = _("The support with {school} is over. What was it worth?").format(school=other.name)
    return {"text": text, "url": url, "link": _("Say it")}


def _requests(found: list[SupportRequest]) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.priority.title, reverse("connectedness:support_request", args=[each.pk])),
            words.day(each.asked_at),
            each.get_urgency_display(),
            words.request_badge(each),
        ]
        for each in found
    ]
    return Table(
        _("What we ask for"),
        [Column(_("Priority")), Column(_("Since")), Column(_("How soon")), Column(_("State"))],
        rows,
        empty=_("Nothing at this time. Schools that ask early get further."),
    )


def _offers(found: list[SupportOffer]) -> Table:
    rooms = ledger.rooms(found)
    rows: list[list[Cell]] = [
        [
            Link(each.priority.title, reverse("connectedness:support_offer", args=[each.pk])),
            words.day(each.offered_at),
            words.number_of_days(max(rooms.get(each.pk, (0, 0))[1], 0)),
            words.offer_badge(each),
        ]
        for each in found
    ]
    return Table(
        _("What we offer"),
        [Column(_("Priority")), Column(_("Since")), Column(_("Days left")), Column(_("State"))],
        rows,
        empty=_("Nothing at this time. Every school does something that others can use."),
    )


def _deployments(found: list[Deployment], *, receiving: bool) -> Table:
    used = queries.days_logged(found)
    rows: list[list[Cell]] = [
        [
            Link(
                (each.giving if receiving else each.receiving).name,
                reverse("connectedness:support_deployment", args=[each.pk]),
            ),
            each.priority.title,
            words.day(each.exit_on if each.ended_on is None else each.ended_on),
            days_of(used.get(each.pk, 0.0), each),
            words.deployment_badge(each),
        ]
        for each in found
    ]
    return Table(
        _("Support we receive") if receiving else _("Support we give"),
        [
            Column(_("School")),
            Column(_("Priority")),
            Column(_("Ends")),
            Column(_("Days")),
            Column(_("State")),
        ],
        rows,
        empty=_("None yet."),
    )


def days_of(used: float, deployment: Deployment) -> str:
    return _("{used} of {days}").format(
        used=words.in_days(used), days=words.in_days(deployment.days)
    )


def export_columns() -> list[ExportColumn]:
    return [
        ExportColumn("what", _("What")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("school", _("The other school")),
        ExportColumn("from", _("From"), "date"),
        ExportColumn("until", _("Until"), "date"),
        ExportColumn("days", _("Days agreed or offered"), "number"),
        ExportColumn("used", _("Days used"), "number"),
        ExportColumn("state", _("State")),
    ]


def export_rows(school: School) -> Iterator[Row]:
    """Everything the school asks for, offers, receives and gives: no words, no notes."""
    for each in queries.asked_by(school):
        yield {
            "what": _("asks for support"),
            "priority": each.priority.title,
            "from": timezone.localdate(each.asked_at),
            "until": timezone.localdate(each.closed_at) if each.closed_at else None,
            "days": float(each.days),
            "state": each.get_state_display(),
        }
    for offer in queries.offered_by(school):
        yield {
            "what": _("offers support"),
            "priority": offer.priority.title,
            "from": timezone.localdate(offer.offered_at),
            "until": offer.until,
            "days": float(offer.days),
            "state": offer.get_state_display(),
        }
    deployments = list(queries.deployments_of(school))
    used = queries.days_logged(deployments)
    for deployment in deployments:
        receives = deployment.receiving_id == school.pk
        yield {
            "what": _("receives support") if receives else _("gives support"),
            "priority": deployment.priority.title,
            "school": (deployment.giving if receives else deployment.receiving).name,
            "from": deployment.starts,
            "until": deployment.ended_on or deployment.exit_on,
            "days": float(deployment.days),
            "used": used.get(deployment.pk, 0.0),
            "state": deployment.get_state_display(),
        }


def request_page(found: SupportRequest, acting: Appointment | None) -> Row:
    """One request, with what whoever looks may know and do. Forms are added by the view."""
    match = queries.current_match(found)
    asks = queries.answers_for(acting, found.school_id)
    gives = match is not None and queries.answers_for(acting, match.offer.school_id)
    officer = queries.brokers_for(acting, found.school)
    if not (asks or gives or officer or queries.leads(acting, found)):
        match = None  # a school that gave support before sees nothing of who comes now
    deployment = queries.deployment_of(match) if match else None
    is_open = found.state in OPEN_REQUEST
    proposed = found.origin == SupportRequest.Origin.DESIGNATED and found.agreed_at is None
    return {
        "found": found,
        "badge": words.request_badge(found),
        "facts": _request_facts(found, officer, asks),
        "match": match,
        "match_facts": _match_facts(match) if match else [],
        "reasons": reasons.in_words(match.reasons) if match else [],
        "deployment": deployment,
        "to_agree": asks and proposed and is_open,
        "waits": proposed and is_open and not asks,
        "may_accept": _may_accept(match, asks, gives),
        "may_decline": _lies(match) and (asks or gives),
        "may_give_back": match is not None
        and deployment is None
        and (officer or (match.state == SupportMatch.State.ACCEPTED and (asks or gives))),
        "may_agree_terms": match is not None
        and match.state == SupportMatch.State.ACCEPTED
        and deployment is None
        and (asks or gives or officer),
        "may_withdraw": is_open and (asks or officer) and not (deployment and _runs(deployment)),
        "officer": officer,
        "is_open": is_open,
        "earlier": _earlier(found) if officer else None,
    }


def _runs(deployment: Deployment) -> bool:
    return deployment.state == Deployment.State.RUNNING


def _lies(match: SupportMatch | None) -> bool:
    return match is not None and match.state == SupportMatch.State.SUGGESTED


def _may_accept(match: SupportMatch | None, asks: bool, gives: bool) -> bool:
    if match is None or not _lies(match):
        return False
    return (asks and match.asker_accepted_at is None) or (gives and match.giver_accepted_at is None)


def _request_facts(found: SupportRequest, officer: bool, asks: bool) -> list[tuple[str, Cell]]:
    """What there is to know; why it was closed is between the school and the officers."""
    facts: list[tuple[str, Cell]] = [
        (_("School"), Link(found.school.name, reverse("home:school", args=[found.school.code])))
        if officer
        else (_("School"), found.school.name),
        (_("Priority"), found.priority.title),
        (_("About"), words.number_of_days(found.days)),
        (_("How soon"), found.get_urgency_display()),
        (_("Since"), words.day(found.asked_at)),
        (_("How it came"), found.get_origin_display()),
    ]
    if found.close_reason and (officer or asks):
        facts.append((_("Why it was closed"), found.close_reason))
    if officer and found.triaged_at:
        facts.append((_("Looked at"), words.day(found.triaged_at)))
        if found.triage_note:
            facts.append((_("Note for officers"), found.triage_note))
    return facts


def _match_facts(match: SupportMatch) -> list[tuple[str, Cell]]:
    return [
        (_("School"), match.offer.school.name),
        (_("Who would come"), match.offer.giver_name),
        (_("What they offer"), match.offer.what),
        (_("Way"), words.way(match.distance_km)),
        (_("Where it stands"), words.match_words(match)),
    ]


def _earlier(found: SupportRequest) -> Table | None:
    """For officers: matches that did not come about, and why."""
    rows: list[list[Cell]] = [
        [
            each.offer.school.name,
            each.get_state_display(),
            each.ended_why or "",
            words.day(each.put_at),
        ]
        for each in queries.matches_of(found)
        if each.state not in LIVE_MATCH and (each.put_at or each.ended_why)
    ]
    if not rows:
        return None
    return Table(
        _("What did not come about"),
        [Column(_("School")), Column(_("How it ended")), Column(_("Why")), Column(_("Put on"))],
        rows,
    )


def offer_page(found: SupportOffer, acting: Appointment | None) -> Row:
    """One offer: what, who, how much is left of it."""
    places, days = ledger.room_left(found)
    own = queries.answers_for(acting, found.school_id)
    return {
        "found": found,
        "badge": words.offer_badge(found),
        "own": own,
        "facts": [
            (_("School"), found.school.name),
            (_("Area"), found.school.area.name),
            (_("Priority"), found.priority.title),
            (_("Who would come"), found.giver_name),
            (_("Days a year"), words.number_of_days(found.days)),
            (_("Days left this year"), words.number_of_days(max(days, ledger.NOTHING))),
            (_("Schools at a time"), found.at_once),
            (_("Places free now"), max(places, 0)),
            (_("Languages"), found.languages or _("not given")),
            (_("Since"), words.day(found.offered_at)),
            (_("Until"), words.day(found.until) or _("no end is set")),
        ],
        "edit_url": reverse("connectedness:support_offer_edit", args=[found.pk])
        if own and found.state != SupportOffer.State.WITHDRAWN
        else "",
        "states": _offer_states(found) if own else [],
    }


def offer_values(found: SupportOffer) -> Row:
    """What an offer says now, for the form that changes it."""
    return {
        "what": found.what,
        "days": f"{float(found.days):g}",
        "at_once": found.at_once,
        "languages": found.languages.replace(";", ","),
        "until": found.until.isoformat() if found.until else "",
        "seen": found.version,
    }


def _offer_states(found: SupportOffer) -> list[tuple[str, str]]:
    """What can be done with an offer: the state, and the button's words."""
    match found.state:
        case SupportOffer.State.OPEN:
            return [("paused", _("Pause")), ("withdrawn", _("Withdraw"))]
        case SupportOffer.State.PAUSED:
            return [("open", _("Open again")), ("withdrawn", _("Withdraw"))]
    return []
