"""What everybody gets from the addresses of development; a part of the permission matrix."""

from collections.abc import Mapping, Sequence
from typing import Any

from brightspots_web.leaders.models import CompetenceRating
from tests.web import development_helpers as helpers
from tests.web.permission_matrix import APPOINTED, LEADERS, Case, allow
from tests.web.world import World

OFFICERS = frozenset({"district_officer", "other_district_officer"})
SCHOOL_PEOPLE = LEADERS | {"head", "partner_head", "other_head", "teacher"}
LEARN = SCHOOL_PEOPLE | OFFICERS
FIND = OFFICERS | {"minister"}
NO_ROLE = dict.fromkeys(("former_head", "nobody"), 403)
MINISTRY = allow({"minister"})
MINISTRY_SENDS = allow({"minister"}, 302)
HAVE_ROLE_OR_404 = allow((), otherwise=404) | NO_ROLE
"""Nobody gets anything; who has no role is told so first."""
IN_NORTH = APPOINTED - {"other_district_officer", "other_system_leader", "other_head"}
"""Who sees learning for North county."""
RUNS = {"district_officer", "minister"}


def _framework(world: World) -> dict[str, Any]:
    helpers.framework(world)
    return {}


def _coaching(world: World) -> dict[str, Any]:
    """The competence "coaching" of a framework that has begun."""
    helpers.framework(world)
    return {"code": "coaching"}


def _words(world: World) -> dict[str, Any]:
    levels = {f"level_{at}": f"I do it {at} times." for at in range(1, 5)}
    return {"name": "Listening", "what_it_is": "Hearing what is meant."} | levels


def _asked(world: World) -> dict[str, Any]:
    """The leader of Upper asked the head of N2; the key is the leader's."""
    helpers.asked(world)
    return {"pk": world.person("system_leader").pk}


def _an_answer(world: World) -> dict[str, Any]:
    key = f"c{CompetenceRating.objects.get().competence_id}"
    return {f"{key}_level": "3", f"{key}_evidence": "I saw it."}


def _shared(world: World) -> dict[str, Any]:
    """The leader of Upper shares with the head of N2; the key is the leader's."""
    from brightspots_web.leaders import development_rating_actions as rating

    helpers.rated(world)
    rating.share(world.person("head"), by=world.cast["system_leader"])
    return {"pk": world.person("system_leader").pk}


def _person(who: str) -> Any:
    return lambda world: {"pk": world.person(who).pk}


def _learning(world: World) -> dict[str, Any]:
    helpers.framework(world)
    return {"pk": helpers.learning(world).pk}


def _past(world: World) -> dict[str, Any]:
    helpers.framework(world)
    return {"pk": helpers.past(helpers.learning(world)).pk}


def _participants(fmt: str) -> Any:
    return lambda world: _learning(world) | {"fmt": fmt}


def _offer(world: World) -> dict[str, Any]:
    return {
        "kind": "community", "title": "Fridays", "about": "We talk.", "hours": "2",
        "on": helpers.today().isoformat(), "area": str(world.areas["North"].pk),
    }  # fmt: skip


def _fmt(fmt: str) -> Any:
    return lambda world: {"fmt": fmt}


def _pair(world: World) -> dict[str, Any]:
    return {"pk": helpers.pair(world).pk}


def _asked_to_coach(world: World) -> dict[str, Any]:
    from brightspots_web.leaders import coaching_actions

    found = coaching_actions.ask(
        world.person("head"), by=world.cast["system_leader"], as_coach=True
    )
    return {"pk": found.pk}


def _note(world: World) -> dict[str, Any]:
    note = helpers.a_note(world)
    return {"pk": note.pair_id, "note": note.pk}


def _a_note(world: World) -> dict[str, Any]:
    return {"words": "We met.", "on": helpers.today().isoformat()}


def _files(name: str, who: Any) -> dict[str, Sequence[Case]]:
    return {
        f"leaders:{name}": [Case(_fmt(fmt), get=allow(who)) for fmt in ("csv", "xlsx")]
    }  # fmt: skip


FRAMEWORK: Mapping[str, Sequence[Case]] = {
    "leaders:development": [Case(_framework, get=allow(APPOINTED)), Case(get=allow(APPOINTED))],
    "leaders:framework": [Case(get=allow(APPOINTED)), Case(_framework, get=allow(APPOINTED))],
    "leaders:framework_begin": [Case(post=MINISTRY_SENDS)],
    "leaders:competence_add": [Case(get=MINISTRY, post=MINISTRY_SENDS, data=_words)],
    "leaders:competence_change": [
        Case(_coaching, get=MINISTRY, post=MINISTRY_SENDS, data=_words),
        Case(lambda world: {"code": "none"}, get=allow({"minister"}, 404),
             post=allow({"minister"}, 404)),
    ],
    "leaders:competence_move": [Case(_coaching, post=MINISTRY_SENDS)],
    "leaders:competence_retire": [Case(_coaching, post=MINISTRY_SENDS)],
}  # fmt: skip

RATING: Mapping[str, Sequence[Case]] = {
    **_files("development_export", LEADERS),
    "leaders:rate": [
        Case(
            _coaching, get=allow(LEADERS), post=allow(LEADERS, 302),
            data=lambda world: {"level": "2", "evidence": "We did."},
        ),
        Case(lambda world: {"code": "none"}, get=allow(LEADERS, 404), post=allow(LEADERS, 404)),
    ],
    "leaders:ask_colleagues": [
        Case(
            lambda world: _framework(world), get=allow(LEADERS),
            # The head of N2 is nobody whom the leader of East knows.
            post=allow({"system_leader"}, 302) | {"other_system_leader": 200},
            data=lambda world: {
                "people": [world.person("head").pk], "competences": ["coaching"],
            },
        )
    ],
    "leaders:ask_take_back": [Case(_person("head"), post=allow(APPOINTED, 302))],
    "leaders:answer": [
        Case(
            _asked, get=HAVE_ROLE_OR_404 | {"head": 200}, post=HAVE_ROLE_OR_404 | {"head": 302},
            data=_an_answer,
        )
    ],
    "leaders:answer_decline": [Case(_asked, post=HAVE_ROLE_OR_404 | {"head": 302})],
    "leaders:share": [
        Case(
            get=allow(LEADERS),
            post=allow({"system_leader"}, 302) | {"other_system_leader": 200},
            data=lambda world: {"person": world.person("head").pk},
        )
    ],
    "leaders:share_stop": [Case(_person("head"), post=allow(APPOINTED, 302))],
    "leaders:development_of": [Case(_shared, get=HAVE_ROLE_OR_404 | {"head": 200})],
}  # fmt: skip

LEARNING: Mapping[str, Sequence[Case]] = {
    "leaders:learning": [Case(get=allow(APPOINTED)), Case(_framework, get=allow(APPOINTED))],
    **_files("learning_export", APPOINTED),
    "leaders:learning_offer": [
        Case(
            get=allow(LEADERS | FIND),
            post=allow({"system_leader", "district_officer", "minister"}, 302)
            # Those of South cannot offer anything to leaders in North.
            | dict.fromkeys(("other_system_leader", "other_district_officer"), 200),
            data=_offer,
        )
    ],
    "leaders:learning_one": [Case(_learning, get=allow(IN_NORTH, otherwise=404) | NO_ROLE)],
    "leaders:learning_change": [
        Case(
            _learning,
            get=allow(IN_NORTH, 403, otherwise=404) | NO_ROLE | dict.fromkeys(RUNS, 200),
            post=allow(IN_NORTH, 403, otherwise=404) | NO_ROLE | dict.fromkeys(RUNS, 302),
            data=lambda world: _offer(world) | {"kind": "module"},
        )
    ],
    "leaders:learning_cancel": [
        Case(
            _learning,
            post=allow(IN_NORTH, 403, otherwise=404) | NO_ROLE | dict.fromkeys(RUNS, 302),
            data=lambda world: {"why": "The hall is taken."},
        )
    ],
    "leaders:learning_take_part": [
        Case(
            _learning,
            post=allow(IN_NORTH, 302, otherwise=404) | NO_ROLE
            | dict.fromkeys(("minister", "analyst"), 403),
        )
    ],
    "leaders:learning_leave": [
        Case(_learning, post=allow(IN_NORTH, 302, otherwise=404) | NO_ROLE)
    ],
    "leaders:learning_attendance": [
        Case(_past, post=allow(IN_NORTH, 403, otherwise=404) | NO_ROLE | dict.fromkeys(RUNS, 302))
    ],
    "leaders:learning_participants": [
        Case(
            _participants(fmt),
            get=allow(IN_NORTH, 403, otherwise=404) | NO_ROLE | dict.fromkeys(RUNS, 200),
        )
        for fmt in ("csv", "xlsx")
    ],
}  # fmt: skip

PAIR_OF = {"system_leader", "head"}
COACHING: Mapping[str, Sequence[Case]] = {
    "leaders:coaching": [Case(lambda world: _note(world) and {}, get=allow(LEARN))],
    "leaders:coaching_ask": [
        Case(
            get=allow(LEARN),
            post=allow(LEARN, 302, otherwise=403)
            # Nobody asks themselves, and nobody whom they do not know.
            | {"head": 200, "other_system_leader": 200, "other_head": 200,
               "other_district_officer": 200, "district_officer": 200},
            data=lambda world: {"person": world.person("head").pk, "part": "coached"},
        )
    ],
    "leaders:coaching_pair": [
        Case(
            _pair, get=HAVE_ROLE_OR_404 | dict.fromkeys(PAIR_OF, 200),
            post=HAVE_ROLE_OR_404 | dict.fromkeys(PAIR_OF, 302), data=_a_note,
        )
    ],
    "leaders:coaching_accept": [
        Case(_asked_to_coach, post=HAVE_ROLE_OR_404 | {"head": 302, "system_leader": 403})
    ],
    "leaders:coaching_end": [
        Case(_pair, post=HAVE_ROLE_OR_404 | dict.fromkeys(PAIR_OF, 302))
    ],
    "leaders:coaching_note": [
        Case(
            _note, get=HAVE_ROLE_OR_404 | {"system_leader": 200},
            post=HAVE_ROLE_OR_404 | {"system_leader": 302}, data=_a_note,
        )
    ],
    "leaders:coaching_note_delete": [
        Case(_note, post=HAVE_ROLE_OR_404 | {"system_leader": 302})
    ],
}  # fmt: skip

TIME: Mapping[str, Sequence[Case]] = {
    "leaders:time": [
        Case(
            get=allow(LEADERS | OFFICERS), post=allow(LEADERS | OFFICERS, 302),
            data=lambda world: {"support": "3.5"},
        )
    ],
    **_files("time_export", LEADERS | OFFICERS),
    "leaders:time_balance": [Case(get=allow(FIND))],
    **_files("time_balance_export", FIND),
}  # fmt: skip

PROFILE: Mapping[str, Sequence[Case]] = {
    "leaders:me": [Case(_framework, get=allow(LEARN))],
    "leaders:certificate": [Case(get=allow(LEADERS, otherwise=404) | NO_ROLE)],
    "leaders:certificate_pdf": [Case(get=allow(LEADERS, otherwise=404) | NO_ROLE)],
    "leaders:profile": [
        Case(_person("system_leader"), get=allow(APPOINTED)),
        Case(_person("head"), get=HAVE_ROLE_OR_404),
    ],
}

DEVELOPMENT: Mapping[str, Sequence[Case]] = {
    **FRAMEWORK, **RATING, **LEARNING, **COACHING, **TIME, **PROFILE,
}  # fmt: skip
