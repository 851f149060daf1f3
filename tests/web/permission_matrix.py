"""What everybody gets from every address. A route missing here fails the build.

`allow({"minister", "analyst"}, 200, otherwise=403)` says who gets what; signed-in people without
an appointment get what `otherwise` says, strangers are sent to sign in (302).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import Any

from django.utils import timezone

from tests.web.world import World

IN_A_MONTH = (timezone.localdate() + timedelta(days=30)).isoformat()

CAST = (
    "minister",
    "analyst",
    "district_officer",
    "other_district_officer",
    "system_leader",
    "other_system_leader",
    "head",
    "partner_head",
    "other_head",
    "teacher",
    "former_head",
    "nobody",
    "anonymous",
)
SIGNED_IN = frozenset(CAST) - {"anonymous"}
APPOINTED = SIGNED_IN - {"former_head", "nobody"}
SYSTEM_WIDE = frozenset({"minister", "analyst"})
NORTH = SYSTEM_WIDE | {"district_officer"}
"""Who sees every school of North county."""
UPPER = NORTH | {"system_leader", "head", "partner_head", "teacher"}
"""Who sees the schools of Upper partnership."""

Statuses = Mapping[str, int]


def allow(
    who: Iterable[str], status: int = 200, *, otherwise: int = 403, anonymous: int = 302
) -> Statuses:
    chosen = set(who)
    return {
        person: status if person in chosen else (anonymous if person == "anonymous" else otherwise)
        for person in CAST
    }


def everyone(status: int = 200) -> Statuses:
    return dict.fromkeys(CAST, status)


@dataclass(frozen=True)
class Case:
    """One address with its arguments; `post` None means POST must answer 405."""

    kwargs: Callable[[World], dict[str, Any]] = field(default=lambda world: {})
    get: Statuses | None = None
    post: Statuses | None = None
    data: Callable[[World], dict[str, Any]] = field(default=lambda world: {})
    """What is posted."""


def _an_import(world: World) -> dict[str, Any]:
    """A list of schools that was uploaded and looked at."""
    import io  # only these cases need a file

    from brightspots_web.imports import actions

    analyst = world.cast["analyst"]
    batch = actions.upload(io.BytesIO(b"code\nN1\n"), name="a.csv", kind="schools", by=analyst)
    actions.look(batch, by=analyst)
    return {"pk": batch.pk}


Kwargs = Callable[[World], dict[str, Any]]
AREA_WIDE = SYSTEM_WIDE | {"district_officer", "other_district_officer"}
APPOINTERS = frozenset({"minister", "district_officer", "other_district_officer"})
EAST = SYSTEM_WIDE | {"other_district_officer", "other_system_leader", "other_head"}
ELSEWHERE = {"other_district_officer": 404}
"""May do such things, but not see this object."""


def as_csv(world: World) -> dict[str, Any]:
    return {"fmt": "csv"}


def _xlsx(world: World) -> dict[str, Any]:
    return {"fmt": "xlsx"}


def by_code(code: str, fmt: str = "") -> Kwargs:
    return lambda world: {"code": code} | ({"fmt": fmt} if fmt else {})


def by_area(name: str) -> Kwargs:
    return lambda world: {"pk": world.areas[name].pk}


def _appointment(who: str) -> Kwargs:
    return lambda world: {"pk": world.cast[who].pk}


def _a_job(world: World) -> dict[str, Any]:
    """A job of the district officer's."""
    from brightspots_web.shared.models import Job

    officer = world.cast["district_officer"]
    job = Job.objects.create(kind="k", title="t", appointment=str(officer.pk), actor="a")
    return {"pk": job.pk}


def _a_proposal(world: World) -> dict[str, Any]:
    """A proposal for the six schools of Upper district."""
    from brightspots_web.connectedness.models import Proposal, ProposedMember

    proposal = Proposal.objects.create(
        job=1, seed=0, n_schools=6, n_partnerships=1, n_isolated=0, gap=0.01
    )
    ProposedMember.objects.bulk_create(
        ProposedMember(
            proposal=proposal,
            school=world.schools[f"N{i}"],
            partnership="1",
            lead_school=world.schools["N1"],
            distance_km=2.0 * i,
        )
        for i in range(1, 7)
    )
    return {"pk": proposal.pk}


def _settings(world: World) -> dict[str, Any]:
    return {"minimum": 4, "maximum": 8, "max_km": 25}


def _a_new_head(world: World) -> dict[str, Any]:
    return {
        "name": "New",
        "email": "new@test.invalid",
        "role": "head",
        "place": "N4",
        "starts": "2024-09-01",
    }


def _a_run(world: World) -> dict[str, Any]:
    from django.utils import timezone

    from brightspots_web.insight.models import Run

    now = timezone.now()
    run = Run.objects.create(
        method="by hand", input_hash="", started_at=now, finished_at=now, published_at=now
    )
    return {"uuid": run.uuid}


def _a_draft(world: World) -> dict[str, Any]:
    from django.utils import timezone

    from brightspots_web.insight.models import Run

    now = timezone.now()
    run = Run.objects.create(method="by hand", input_hash="", started_at=now, finished_at=now)
    return {"uuid": run.uuid}


def _with_rows(world: World) -> dict[str, Any]:
    """A published run with one figure, so that its tables can be downloaded."""
    from brightspots_web.insight.models import Estimate, Run

    found = _a_run(world)
    figures = dict.fromkeys(
        ("estimate", "se_comparative", "se_diagnostic", "cond_sd", "lower", "upper", "reliability"),
        0.1,
    )
    Estimate.objects.create(
        run=Run.objects.get(**found), school=world.schools["N1"], subject="Reading", n=4, **figures
    )
    return found


def _an_explained_figure(world: World) -> dict[str, Any]:
    """Reading at N2 in a published run that gives nothing but its scale."""
    from brightspots_web.insight.models import Run

    about = {"pupil_sd": 10.0, "mean": 50.0, "digits": 1, "years": [2023], "way": "school"}
    kwargs = _a_run(world)
    Run.objects.filter(**kwargs).update(summary={"outcomes": {"Reading": about}})
    return {"code": "N2", "subject": "Reading"}


LEADERS = frozenset({"system_leader", "other_system_leader"})
LOOK_FOR_SPOTS = AREA_WIDE | LEADERS
"""Who arranges visits: they have the list of bright spots."""
# The studio. A proposal for the whole system is none of an officer's; one for North is.
NO_OFFICER = dict.fromkeys(("district_officer", "other_district_officer"), 404)


def _for_north(**more: Any) -> Kwargs:
    """A proposal for North county."""

    def kwargs(world: World) -> dict[str, Any]:
        from brightspots_web.connectedness.models import Proposal

        found = _a_proposal(world)
        Proposal.objects.filter(**found).update(area=world.areas["North"])
        return found | more

    return kwargs


def _with_a_pin(world: World) -> dict[str, Any]:
    from brightspots_web.connectedness import studio_actions
    from brightspots_web.connectedness.models import Pin, Proposal

    found = _a_proposal(world)
    Proposal.objects.filter(**found).update(area=world.areas["North"])
    proposal = Proposal.objects.get(**found)
    studio_actions.add_pin(
        proposal, "leads", world.schools["N1"], by=world.cast["minister"], version=None
    )
    return found | {"pin": Pin.objects.get().pk}


def _asked(world: World) -> dict[str, Any]:
    """The schools of Upper district are asked what they think."""
    from brightspots_web.connectedness import studio_consult_actions
    from brightspots_web.connectedness.models import Proposal
    from brightspots_web.directory.queries import today

    found = _a_proposal(world)
    studio_consult_actions.consult(
        Proposal.objects.get(**found), today(), by=world.cast["minister"], version=None
    )
    return found


def _studio(name: str, *, post: bool | None = None, **data: Any) -> dict[str, list[Case]]:
    """A page of a proposal (`post` None), a button (False: POST alone) or a form (True)."""
    north = allow(NORTH, 302) | ELSEWHERE if post is not None else None
    system = allow(SYSTEM_WIDE, 302) | NO_OFFICER if post is not None else None
    query = (lambda world: data) if data else (lambda world: {})
    return {
        f"connectedness:{name}": [
            Case(
                _for_north(),
                get=None if post is False else allow(NORTH) | ELSEWHERE,
                post=north,
                data=query,
            ),
            Case(
                _a_proposal,
                get=None if post is False else allow(SYSTEM_WIDE) | NO_OFFICER,
                post=system,
                data=query,
            ),
        ]
    }


def _studio_file(name: str) -> dict[str, list[Case]]:
    return {
        f"connectedness:{name}": [
            Case(_for_north(fmt="csv"), get=allow(NORTH) | ELSEWHERE),
            Case(_for_north(fmt="xlsx"), get=allow(NORTH) | ELSEWHERE),
        ]
    }


ASKED = frozenset({"system_leader", "head", "partner_head"})
"""Who answers for a school of Upper district."""

STUDIO: dict[str, list[Case]] = {
    **_studio("proposal"),
    **_studio("history"),
    **_studio("replies"),
    **_studio("compare"),
    **_studio("consult", post=True, until=IN_A_MONTH),
    **_studio("adopt", post=True, on=IN_A_MONTH),
    **_studio("rerun", post=True),
    **_studio("undo", post=False),
    **_studio("take_out_closed", post=False),
    **_studio("withdraw", post=False),
    **_studio("call_off", post=False),
    **_studio_file("proposal_export"),
    **_studio_file("history_export"),
    **_studio_file("replies_export"),
    **_studio_file("differences_export"),
    "connectedness:move": [
        Case(
            _for_north(),
            get=allow((), otherwise=403) | dict.fromkeys(AREA_WIDE, 404),
            post=allow(NORTH, 302) | ELSEWHERE,
            data=lambda world: {"school": "N6", "to": "none"},
        )
    ],
    "connectedness:leader": [
        Case(
            _for_north(),
            get=allow((), otherwise=403) | dict.fromkeys(AREA_WIDE, 404),
            post=allow(NORTH, 302) | ELSEWHERE,
            data=lambda world: {"school": "N2"},
        )
    ],
    "connectedness:pins": [
        Case(
            _for_north(),
            get=allow(NORTH) | ELSEWHERE,
            post=allow(NORTH, 302) | ELSEWHERE,
            data=lambda world: {"kind": "leads", "school": "N2"},
        )
    ],
    "connectedness:remove_pin": [Case(_with_a_pin, post=allow(NORTH, 302) | ELSEWHERE)],
    "connectedness:consultation": [
        Case(
            _asked,
            get=allow(ASKED, otherwise=404),
            post=allow(ASKED, 200, otherwise=404),
        ),
    ],
}

RECORD_N2 = frozenset({"minister", "district_officer", "system_leader"})
"""Who writes down contacts with N2 and steps for it."""
CONTACTS_N2 = RECORD_N2 | {"analyst", "head"}
"""Who reads them: the school's own head too, its neighbours not."""


def _a_contact(world: World) -> dict[str, Any]:
    """A call that the leader of Upper wrote down."""
    from brightspots_web.connectedness import contact_actions

    by = world.cast["system_leader"]
    return {"pk": contact_actions.record_contact(world.schools["N2"], "call", by=by).pk}


def _a_step_against_isolation(world: World) -> dict[str, Any]:
    from django.utils import timezone

    owner = world.cast["system_leader"].person_id
    return {"what": "Visit.", "owner": owner, "due": timezone.localdate().isoformat()}


def _an_open_step(world: World) -> dict[str, Any]:
    from django.utils import timezone

    from brightspots_web.connectedness import contact_actions

    leader = world.cast["system_leader"]
    step = contact_actions.add_step(
        world.schools["N2"], by=leader, owner=leader.person, what="w", due=timezone.localdate()
    )
    return {"pk": step.pk}


MATRIX: dict[str, list[Case]] = {
    "shared:health": [Case(get=everyone())],
    "shared:jobs": [Case(get=allow(SIGNED_IN))],
    "shared:job": [Case(_a_job, get=allow(NORTH, otherwise=404))],
    "shared:stop_job": [Case(_a_job, post=allow(NORTH, 302, otherwise=404))],
    "shared:audit": [Case(get=allow(SYSTEM_WIDE))],
    "shared:audit_export": [Case(as_csv, get=allow(SYSTEM_WIDE))],
    "directory:schools": [Case(get=allow(SIGNED_IN))],
    "directory:schools_export": [
        Case(as_csv, get=allow(SIGNED_IN)),
        Case(_xlsx, get=allow(SIGNED_IN)),
    ],
    "directory:people": [
        Case(get=allow(APPOINTERS), post=allow(APPOINTERS)),
        Case(get=allow(APPOINTERS), post=allow(APPOINTERS), data=_a_new_head),
    ],
    "directory:end_appointment": [
        Case(_appointment("head"), post=allow({"minister", "district_officer"}, 302) | ELSEWHERE),
        Case(
            _appointment("district_officer"),
            post=allow({"minister"}, 302) | ELSEWHERE | {"district_officer": 404},
        ),
        Case(
            _appointment("minister"),
            post=allow({"minister"}, 302) | ELSEWHERE | {"district_officer": 404},
        ),
    ],
    "directory:password_link": [
        Case(_appointment("head"), post=allow({"minister", "district_officer"}) | ELSEWHERE),
        Case(
            _appointment("analyst"),
            post=allow({"minister"}) | ELSEWHERE | {"district_officer": 404},
        ),
    ],
    "directory:act_as": [
        Case(_appointment("head"), post=allow({"head"}, 302, otherwise=404)),
        Case(_appointment("former_head"), post=allow((), otherwise=404)),
    ],
    "directory:cast": [Case(get=everyone())],
    "directory:sign_in_as": [Case(_appointment("head"), post=everyone(404))],
    "connectedness:partnerships": [Case(get=allow(AREA_WIDE))],
    "connectedness:partnerships_export": [Case(as_csv, get=allow(AREA_WIDE))],
    "connectedness:isolation": [Case(get=allow(AREA_WIDE))],
    "connectedness:isolation_export": [
        Case(as_csv, get=allow(AREA_WIDE)),
        Case(_xlsx, get=allow(AREA_WIDE)),
    ],
    "connectedness:counts_export": [Case(as_csv, get=allow(AREA_WIDE))],
    "connectedness:school_contacts": [
        Case(by_code("N2"), get=allow(CONTACTS_N2, otherwise=404)),
        Case(by_code("W1"), get=allow(SYSTEM_WIDE | {"other_district_officer"}, otherwise=404)),
    ],
    "connectedness:contacts_export": [
        Case(by_code("N2", "csv"), get=allow(CONTACTS_N2, otherwise=404))
    ],
    "connectedness:record_contact": [
        Case(
            by_code("N2"),
            get=allow(RECORD_N2, otherwise=404),
            post=allow(RECORD_N2, 302, otherwise=404),
            data=lambda world: {"kind": "call", "on": "2026-01-05", "note": ""},
        ),
    ],
    "connectedness:take_back_contact": [
        Case(_a_contact, post=allow({"system_leader"}, 302, otherwise=404)),
    ],
    "connectedness:record_meeting": [
        Case(
            by_code("P-UPPER"),
            get=allow(RECORD_N2, otherwise=404),
            post=allow(RECORD_N2, 302, otherwise=404),
            data=lambda world: {"on": "2026-01-05", "present": ["N1", "N2"], "note": ""},
        ),
    ],
    "connectedness:add_step": [
        Case(
            by_code("N2"),
            get=allow(RECORD_N2, otherwise=404),
            post=allow(RECORD_N2, 302, otherwise=404),
            data=_a_step_against_isolation,
        ),
    ],
    "connectedness:finish_step": [
        Case(
            _an_open_step,
            get=allow(RECORD_N2, otherwise=404),
            post=allow(RECORD_N2, 302, otherwise=404),
            data=lambda world: {"outcome": "Done.", "on": "2026-01-05"},
        ),
    ],
    "connectedness:settings": [
        Case(
            get=allow({"minister"}),
            post=allow({"minister"}, 302),
            data=lambda world: {
                "contact_days": 60,
                "caseload_cap": 6,
                "leader_days": 40,
                "support_km": 60,
            },
        )
    ],
    "connectedness:network": [Case(get=allow(APPOINTED))],
    "connectedness:network_export": [
        Case(as_csv, get=allow(APPOINTED)),
        Case(_xlsx, get=allow(APPOINTED)),
    ],
    "connectedness:partnership": [
        Case(by_code("P-UPPER"), get=allow(UPPER, otherwise=404)),
        Case(by_code("P-EAST"), get=allow(EAST, otherwise=404)),
        Case(by_code("P-NONE"), get=allow((), otherwise=404)),
    ],
    "connectedness:partnership_export": [
        Case(by_code("P-UPPER", "csv"), get=allow(UPPER, otherwise=404))
    ],
    "connectedness:strengths_export": [
        Case(by_code("P-UPPER", "xlsx"), get=allow(UPPER, otherwise=404))
    ],
    "connectedness:proposals": [
        Case(get=allow(AREA_WIDE), post=allow(AREA_WIDE)),
        Case(get=allow(AREA_WIDE), post=allow(AREA_WIDE, 302), data=_settings),
    ],
    "connectedness:proposals_export": [Case(as_csv, get=allow(AREA_WIDE))],
    **STUDIO,
    "alignment:priorities": [
        Case(
            get=allow(APPOINTED),
            post=allow({"minister"}, 302),
            data=lambda world: {"title_1": "Reading", "title_2": "Number"},
        )
    ],
    "notices:notices": [Case(get=allow(SIGNED_IN))],
    "notices:seen": [Case(post=allow(SIGNED_IN, 302))],
    "notices:rhythm": [Case(post=allow(SIGNED_IN, 302))],
    "home:front": [Case(get=allow(APPOINTED, 302, otherwise=200))],
    "home:methods": [Case(get=allow(SIGNED_IN))],
    "home:ministry": [Case(get=allow(SYSTEM_WIDE))],
    "home:attention_export": [Case(as_csv, get=allow(SYSTEM_WIDE))],
    "home:areas_export": [Case(as_csv, get=allow(SYSTEM_WIDE))],
    "home:area": [
        Case(by_area("Upper"), get=allow(NORTH) | ELSEWHERE),
        Case(by_area("North"), get=allow(NORTH) | ELSEWHERE),
        Case(by_area("Testland"), get=allow(SYSTEM_WIDE) | ELSEWHERE | {"district_officer": 404}),
    ],
    "home:school": [
        Case(by_code("N2"), get=allow(UPPER, otherwise=404)),
        Case(by_code("E2"), get=allow(EAST, otherwise=404)),
        Case(by_code("W1"), get=allow(SYSTEM_WIDE | {"other_district_officer"}, otherwise=404)),
    ],
    "home:school_report": [Case(by_code("E2"), get=allow(EAST, otherwise=404))],
    "home:school_figures": [Case(by_code("N2", "csv"), get=allow(UPPER, otherwise=404))],
    "home:school_groups": [Case(by_code("N2", "csv"), get=allow(UPPER, otherwise=404))],
    "home:school_sensitivity": [Case(by_code("N2", "xlsx"), get=allow(UPPER, otherwise=404))],
    "home:school_needs": [Case(by_code("E2", "csv"), get=allow(EAST, otherwise=404))],
    "home:school_why_export": [Case(by_code("N2", "csv"), get=allow(UPPER, otherwise=404))],
    "home:school_family": [
        Case(by_code("N2"), get=allow(UPPER, otherwise=404)),
        Case(by_code("E2"), get=allow(EAST, otherwise=404)),
    ],
    "home:school_family_export": [Case(by_code("E2", "xlsx"), get=allow(EAST, otherwise=404))],
    "home:why": [
        # Without an analysis there is no outcome to explain; with one, see test_school_page_why.
        Case(lambda world: {"code": "N2", "subject": "Reading"}, get=allow((), otherwise=404)),
        Case(_an_explained_figure, get=allow(UPPER, otherwise=404)),
    ],
    "imports:batches": [Case(get=allow({"analyst"}))],
    "imports:batches_export": [Case(kwargs=lambda world: {"fmt": "csv"}, get=allow({"analyst"}))],
    "imports:new": [Case(get=allow({"analyst"}), post=allow({"analyst"}))],
    "imports:batch": [Case(kwargs=_an_import, get=allow({"analyst"}))],
    "imports:problems_export": [
        Case(kwargs=lambda world: {**_an_import(world), "fmt": "xlsx"}, get=allow({"analyst"}))
    ],
    "imports:mapping": [Case(kwargs=_an_import, get=allow({"analyst"}), post=allow({"analyst"}))],
    "imports:use_saved": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
    "imports:read_again": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
    "imports:confirm": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
    "imports:undo": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
    "imports:discard": [Case(kwargs=_an_import, post=allow({"analyst"}, 302))],
    "insight:runs": [Case(get=allow(APPOINTED))],
    "insight:runs_export": [Case(kwargs=lambda world: {"fmt": "csv"}, get=allow(APPOINTED))],
    "insight:run": [
        Case(kwargs=_a_run, get=allow(APPOINTED)),
        Case(
            kwargs=_a_draft,
            get=allow({"analyst"}, otherwise=404) | {"former_head": 403, "nobody": 403},
        ),
    ],
    "insight:outcomes_export": [
        Case(kwargs=lambda world: {**_a_run(world), "fmt": "csv"}, get=allow(APPOINTED))
    ],
    "insight:sources_export": [
        Case(kwargs=lambda world: {**_a_run(world), "fmt": "xlsx"}, get=allow(APPOINTED))
    ],
    "insight:publish": [
        Case(kwargs=_a_draft, post=allow({"analyst"}, 302)),
        Case(kwargs=_a_run, post=allow({"analyst"}, 302)),
    ],
    "insight:withdraw": [
        Case(kwargs=_a_run, post=allow({"analyst"}, 302), data=lambda world: {"reason": "wrong"}),
    ],
    "insight:discard": [Case(kwargs=_a_draft, post=allow({"analyst"}, 302))],
    "insight:effects_export": [
        Case(kwargs=lambda world: {**_with_rows(world), "fmt": "csv"}, get=allow({"analyst"}))
    ],
    "insight:effects_parquet": [Case(kwargs=_with_rows, get=allow({"analyst"}))],
    "insight:tables": [Case(kwargs=_with_rows, get=allow({"analyst"}))],
    "insight:record": [Case(kwargs=_a_draft, get=allow({"analyst"}))],
    "insight:diagnostics": [
        Case(kwargs=_a_run, get=allow({"analyst"})),
        Case(kwargs=_a_draft, get=allow({"analyst"})),
    ],
    "insight:compare": [Case(get=allow({"analyst"}))],
    "insight:bright_spots": [Case(get=allow(LOOK_FOR_SPOTS))],
    "insight:bright_spots_export": [
        Case(as_csv, get=allow(LOOK_FOR_SPOTS)),
        Case(_xlsx, get=allow(LOOK_FOR_SPOTS)),
    ],
    "evidence:home": [Case(get=allow(APPOINTED))],
    "pace:home": [Case(get=allow(APPOINTED))],
    "insight:start": [Case(get=allow({"analyst"}), post=allow({"analyst"}, 302))],
}

PARTS = (
    *("insight", "support", "practice", "closing"),
    *("proposal", "ballot", "living"),
    *("designation", "development"),
    *("note", "meeting", "decision"),
    *("pledge", "ceremony", "review", "visit"),
    *("challenge", "voice", "response", "dialogue"),
    *("choice", "evaluation", "record"),
    *("stage", "power", "pulse", "plan"),
)
for part in PARTS:  # each is made of what is above
    MATRIX |= getattr(import_module(f"tests.web.permission_{part}"), part.upper())
