"""All reads of support: who sees which request, offer, match and deployment is decided here.

A request is seen by the school that asks (its head, not its teachers), by the officers of its area
and the ministry, by the leader of its partnership, and by a school it was put to as a match. What
a leader writes down about a visit, and what both sides say of the support, stays with the two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness.models import (
    Deployment,
    DeploymentExtension,
    DeploymentLog,
    DeploymentView,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.connectedness.support_states import LIVE_MATCH, OPEN_REQUEST
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.insight import queries as insight
from brightspots_web.shared.permissions import Capability, Role, may

OWN_VIEW_ALONE = timedelta(days=14)
"""So long a view waits for the other side's before the other side may read it all the same."""
LIKELY = 0.5
"""From this probability on a priority is preselected."""


def own_school(acting: Appointment | None) -> School | None:
    """The school for which somebody asks, offers and answers; None for everybody else."""
    if acting is None or not may(acting, Capability.ASK_SUPPORT):
        return None
    return acting.school


def answers_for(acting: Appointment | None, school_id: int) -> bool:
    """Whether somebody speaks for a school: its head, or a system leader who serves there."""
    school = own_school(acting)
    return school is not None and school.pk == school_id


def brokers_for(acting: Appointment | None, school: School) -> bool:
    """Whether somebody triages this school's requests and puts matches to it."""
    return may(acting, Capability.BROKER) and brokered_schools(acting).filter(pk=school.pk).exists()


def brokered_schools(acting: Appointment | None) -> QuerySet[School]:
    """The schools whose requests an officer or the ministry looks after."""
    schools = directory.schools_visible_to(acting)
    return schools if may(acting, Capability.BROKER) else schools.none()


def schools_to_propose_for(acting: Appointment | None) -> QuerySet[School]:
    """Open schools for which an officer may propose support; each school's head decides."""
    return brokered_schools(acting).filter(directory.unclosed())


def _led(acting: Appointment | None, path: str = "school") -> Q:
    """Rows of schools whose partnership the acting person leads today."""
    if acting is None or acting.role != Role.SYSTEM_LEADER:
        return Q(pk__in=[])
    return Q(**{f"{path}__in": _members(acting)})


def leads(acting: Appointment | None, request: SupportRequest) -> bool:
    """Whether somebody leads the partnership of the school that asks."""
    return SupportRequest.objects.filter(_led(acting), pk=request.pk).exists()


def _members(acting: Appointment) -> QuerySet[Any, Any]:
    return directory.live_memberships().filter(partnership=acting.partnership_id).values("school")


def _own(acting: Appointment | None, path: str) -> Q:
    school = own_school(acting)
    return Q(**{path: school.pk}) if school is not None else Q(pk__in=[])


def _brokered(acting: Appointment | None, path: str = "school") -> Q:
    if not may(acting, Capability.BROKER):
        return Q(pk__in=[])
    return Q(**{f"{path}__in": brokered_schools(acting)})


def requests_visible_to(acting: Appointment | None) -> QuerySet[SupportRequest]:
    """Requests whose page somebody may open; see the head of this file."""
    mine = SupportMatch.objects.filter(
        Q(state__in=LIVE_MATCH) | Q(deployment__isnull=False),
        _own(acting, "offer__school"),
        request=OuterRef("pk"),
        put_at__isnull=False,
    )
    return _with_names(
        SupportRequest.objects.filter(
            _own(acting, "school") | _led(acting) | _brokered(acting) | Exists(mine)
        )
    )


def offers_visible_to(acting: Appointment | None) -> QuerySet[SupportOffer]:
    """A school's own offers, those put to it, and to officers every offer that stands."""
    put = SupportMatch.objects.filter(
        Q(state__in=LIVE_MATCH) | Q(deployment__isnull=False),
        _own(acting, "request__school"),
        offer=OuterRef("pk"),
        put_at__isnull=False,
    )
    seen = _own(acting, "school") | _led(acting) | _brokered(acting) | Q(Exists(put))
    if may(acting, Capability.BROKER):
        seen |= Q(state=SupportOffer.State.OPEN)
    return SupportOffer.objects.filter(seen).select_related("school__area", "priority", "giver")


def matches_visible_to(acting: Appointment | None) -> QuerySet[SupportMatch]:
    """Matches put to somebody's school, and to officers all of their area's requests."""
    mine = _own(acting, "request__school") | _own(acting, "offer__school")
    seen = (Q(put_at__isnull=False) & mine) | _brokered(acting, "request__school")
    return SupportMatch.objects.filter(seen).select_related(
        "request__school__area", "request__priority", "offer__school__area", "offer__giver"
    )


def deployments_visible_to(acting: Appointment | None) -> QuerySet[Deployment]:
    """Both schools, the officers of the receiving school, and its partnership's leader."""
    seen = _own(acting, "receiving") | _own(acting, "giving")
    seen |= _led(acting, "receiving") | _brokered(acting, "receiving")
    return Deployment.objects.filter(seen).select_related(
        "receiving__area", "giving__area", "priority", "match__request", "giver"
    )


def extensions_visible_to(acting: Appointment | None) -> QuerySet[DeploymentExtension]:
    """Later ends that were proposed, of support that somebody may open."""
    seen = deployments_visible_to(acting)
    return DeploymentExtension.objects.filter(deployment__in=seen).select_related("deployment")


def extensions_of(deployment: Deployment) -> list[DeploymentExtension]:
    """Every later end that was proposed, in the order proposed."""
    return list(deployment.extensions.order_by("proposed_at", "pk"))


def extensions_put_to(school: School) -> set[int]:
    """Keys of support whose later end waits for this school's answer."""
    asked = Q(deployment__receiving=school, side=DeploymentView.Side.GIVING)
    asked |= Q(deployment__giving=school, side=DeploymentView.Side.RECEIVING)
    waits = DeploymentExtension.objects.filter(asked, state=DeploymentExtension.State.PROPOSED)
    return set(waits.values_list("deployment", flat=True))


def _with_names(requests: QuerySet[SupportRequest]) -> QuerySet[SupportRequest]:
    return requests.select_related("school__area", "priority")


def side_of(deployment: Deployment, acting: Appointment | None) -> str:
    """`receiving`, `giving`, or "" for somebody of neither school."""
    if answers_for(acting, deployment.receiving_id):
        return str(DeploymentView.Side.RECEIVING)
    return str(DeploymentView.Side.GIVING) if answers_for(acting, deployment.giving_id) else ""


@dataclass(frozen=True)
class Search:
    """What the queue is narrowed to."""

    area: Area | None = None
    priority: Priority | None = None
    state: str = ""
    """A state; "" for all that are open."""


def queue(acting: Appointment | None, search: Search | None = None) -> QuerySet[SupportRequest]:
    """Requests of an officer's area: the soonest wanted first, then who waits longest."""
    search = search or Search()
    found = SupportRequest.objects.filter(_brokered(acting))
    if search.area is not None:
        found = found.filter(school__area__path__startswith=search.area.path)
    if search.priority is not None:
        found = found.filter(priority=search.priority)
    states = [search.state] if search.state else list(OPEN_REQUEST)
    live = SupportMatch.objects.filter(request=OuterRef("pk"), state=SupportMatch.State.SUGGESTED)
    order = [When(urgency=each, then=Value(n)) for n, each in enumerate(SupportRequest.Urgency)]
    return (
        _with_names(found.filter(state__in=states))
        .annotate(
            soonness=Case(*order, default=Value(9), output_field=IntegerField()),
            suggested=Exists(live.filter(put_at__isnull=True)),
            put=Exists(live.filter(put_at__isnull=False)),
        )
        .order_by("soonness", "asked_at", "pk")
    )


def waiting_for_match(acting: Appointment | None) -> QuerySet[SupportRequest]:
    """Requests ready to match that nothing is suggested for yet, the oldest first."""
    live = SupportMatch.objects.filter(request=OuterRef("pk"), state=SupportMatch.State.SUGGESTED)
    ready = SupportRequest.objects.filter(_brokered(acting), state=SupportRequest.State.READY)
    return _with_names(ready.filter(~Exists(live))).order_by("asked_at", "pk")


def matches_of(request: SupportRequest) -> list[SupportMatch]:
    """Every match there ever was for a request, in the order suggested."""
    matches = SupportMatch.objects.filter(request=request)
    return list(
        matches.select_related("offer__school__area", "offer__giver", "offer__priority").order_by(
            "suggested_at", "rank", "pk"
        )
    )


def shortlist_of(request: SupportRequest) -> list[SupportMatch]:
    """What stands on the request's shortlist now."""
    return [each for each in matches_of(request) if each.state == SupportMatch.State.SUGGESTED]


def current_match(request: SupportRequest) -> SupportMatch | None:
    """The match that lies with both schools, or that both accepted."""
    put = SupportMatch.objects.filter(
        request=request, state__in=LIVE_MATCH, put_at__isnull=False
    ).select_related("offer__school__area", "offer__giver", "request__school", "request__priority")
    return put.first()


def deployment_of(match: SupportMatch) -> Deployment | None:
    return Deployment.objects.filter(match=match).first()


def open_offers(priority: Priority, *, but: School | None) -> QuerySet[SupportOffer]:
    """Offers at a priority that still stand, of open schools; all but those of one school.

    An offer does not stand once its leader has left the school.
    """
    today = directory.today()
    return (
        SupportOffer.objects.filter(
            Exists(people.heads_there(OuterRef("school"), OuterRef("giver"))),
            Q(until__isnull=True) | Q(until__gte=today),
            directory.unclosed(prefix="school__"),
            state=SupportOffer.State.OPEN,
            priority=priority,
        )
        .exclude(school=but.pk if but else 0)
        .select_related("school__area", "giver", "priority")
        .order_by("school__code", "pk")
    )


def declined_offers(request: SupportRequest) -> set[int]:
    """Offers that came to nothing for this request: they are not suggested for it again."""
    gone = (SupportMatch.State.DECLINED, SupportMatch.State.WITHDRAWN)
    found = SupportMatch.objects.filter(request=request, state__in=gone, put_at__isnull=False)
    return set(found.values_list("offer", flat=True))


def asked_by(school: School) -> QuerySet[SupportRequest]:
    return _with_names(SupportRequest.objects.filter(school=school))


def asked_in_partnership(acting: Appointment | None) -> QuerySet[SupportRequest]:
    """Open requests of the schools whose partnership somebody leads, but for their own school's."""
    open_ones = SupportRequest.objects.filter(_led(acting), state__in=OPEN_REQUEST)
    school = own_school(acting)
    return _with_names(open_ones.exclude(school=school.pk if school else 0))


def offered_by(school: School) -> QuerySet[SupportOffer]:
    return SupportOffer.objects.filter(school=school).select_related("priority", "giver", "school")


def put_to(school: School) -> list[SupportMatch]:
    """Matches that wait for this school's answer or terms, asking and giving alike."""
    return list(
        SupportMatch.objects.filter(
            Q(request__school=school) | Q(offer__school=school),
            put_at__isnull=False,
            state__in=LIVE_MATCH,
            deployment__isnull=True,
        )
        .select_related("request__school", "request__priority", "offer__school")
        .order_by("put_at", "pk")
    )


def deployments_of(school: School) -> QuerySet[Deployment]:
    """Support given and received by a school, the newest first."""
    return Deployment.objects.filter(Q(receiving=school) | Q(giving=school)).select_related(
        "receiving", "giving", "priority", "giver"
    )


def logs_of(deployment: Deployment) -> list[DeploymentLog]:
    return list(deployment.logs.order_by("on", "pk"))


def days_logged(deployments: Iterable[Deployment]) -> dict[int, float]:
    """Deployment key -> days written down, for a page's worth of them."""
    found: dict[int, float] = {}
    rows = DeploymentLog.objects.filter(deployment__in=[each.pk for each in deployments])
    for key, days in rows.values_list("deployment", "days"):
        found[key] = found.get(key, 0.0) + float(days)
    return found


@dataclass(frozen=True)
class Shown:
    """One side's view as somebody may see it; `view` None where it is not open to them yet."""

    side: str
    given: bool
    view: DeploymentView | None
    words: str = ""


def views_of(deployment: Deployment, acting: Appointment | None) -> list[Shown]:
    """Both sides' views, as far as they are open to somebody.

    A side sees its own at once, and the other's after giving its own or after 14 days. Others who
    may open the page see how much it was worth to each side once both have said so or 14 days
    have passed; the words stay with the two schools.
    """
    views = {view.side: view for view in DeploymentView.objects.filter(deployment=deployment)}
    mine = side_of(deployment, acting)
    late = timezone.now() - OWN_VIEW_ALONE
    shown = []
    for side in DeploymentView.Side.values:
        view = views.get(side)
        answered = mine in views if mine else len(views) == len(DeploymentView.Side.values)
        is_open = view is not None and (side == mine or answered or view.at <= late)
        words = view.words if view is not None and is_open and mine else ""
        shown.append(Shown(side, view is not None, view if is_open else None, words))
    return shown


def views_said(deployments: Iterable[Deployment]) -> set[tuple[int, str]]:
    """Deployment's key and side of every view that was given, whoever may read it."""
    views = DeploymentView.objects.filter(deployment__in=[each.pk for each in deployments])
    return set(views.values_list("deployment", "side"))


def fitting_priority(school: School, acting: Appointment, *, giving: bool) -> Priority | None:
    """The live priority at which a school most likely asks for support, or could give it.

    The only one there is; else the one whose published figure says so with a probability of at
    least one half; else none, and the person chooses.
    """
    live = alignment.live_priorities()
    if len(live) == 1:
        return live[0]
    now = {each.subject: each.now for each in insight.standing(school, acting)}
    best: tuple[float, Priority] | None = None
    for priority in live:
        figure = now.get(priority.subject)
        sure = (figure.probability if giving else figure.need_probability) if figure else None
        if sure is not None and sure >= LIKELY and (best is None or sure > best[0]):
            best = (sure, priority)
    return best[1] if best else None


def strengths_at(subject: str, schools: Sequence[School]) -> dict[int, tuple[float, float]]:
    """School key -> (estimate, how reliable it is) at an outcome, where it may be shown."""
    if not subject:
        return {}
    found = insight.estimates_of(schools, subject)
    return {key: (each.estimate, each.reliability) for key, each in found.items()}
