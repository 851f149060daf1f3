"""What everybody gets from the addresses of proposals; a part of the permission matrix."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.web import proposal_helpers as helpers
from tests.web.permission_matrix import APPOINTED, Case, allow
from tests.web.world import World

PROPOSERS = frozenset(
    {"minister", "district_officer", "other_district_officer", "system_leader",
     "other_system_leader", "head", "partner_head", "other_head"}
)  # fmt: skip
HIDDEN: dict[str, int] = dict.fromkeys(("former_head", "nobody"), 403)
NO_PROPOSERS = HIDDEN | {"teacher": 403, "analyst": 403}


def _calendar(world: World) -> dict[str, Any]:
    from brightspots_web.alignment.agreement_actions import as_dict

    data = as_dict(helpers.calendar(name="Another year"))
    weights = data.pop("weights")
    assert isinstance(weights, dict)
    return data | {f"weight_{tier}": weight for tier, weight in weights.items()}


def _agreement(world: World) -> dict[str, Any]:
    return {"pk": helpers.an_agreement(world).pk}


def _draft(world: World) -> dict[str, Any]:
    """A draft of N2."""
    return {"pk": helpers.a_draft(helpers.an_agreement(world), world.cast["head"]).pk}


def _proposed(phase: str = "propose") -> Callable[[World], dict[str, Any]]:
    """A proposal of N2 on the table, in a phase."""

    def make(world: World) -> dict[str, Any]:
        agreement = helpers.an_agreement(world)
        proposal = helpers.proposed(agreement, world.cast["head"])
        helpers.move_to(world, agreement, phase)
        return {"pk": proposal.pk}

    return make


def _with_another(world: World) -> dict[str, Any]:
    """Beside it one of Upper partnership."""
    made = _proposed("propose")(world)
    proposal = helpers.one(made["pk"])
    helpers.proposed(proposal.agreement, world.cast["system_leader"], title="All can read")
    return made


def _wished(world: World) -> dict[str, Any]:
    """The leader wishes that N2's go into the partnership's."""
    from brightspots_web.alignment import proposal_merge_actions as merging

    proposal = helpers.one(_with_another(world)["pk"])
    other = helpers.titled("All can read")
    return {"pk": merging.wish(proposal, other, by=world.cast["system_leader"]).pk}


def _commented(world: World) -> dict[str, Any]:
    """The teacher said something about it."""
    from brightspots_web.alignment import proposal_talk_actions as talk

    made = _proposed("consult")(world)
    said = talk.comment(helpers.one(made["pk"]), by=world.cast["teacher"], words="Yes, please.")
    return made | {"comment": said.pk}


def _as(make: Callable[[World], dict[str, Any]], fmt: str) -> Callable[[World], dict[str, Any]]:
    return lambda world: make(world) | {"fmt": fmt}


def _text(world: World) -> dict[str, Any]:
    return {"title": "Number sense", "why": "Because.", "seen": ""}


IN_CONSULTATION = _proposed("consult")
OWN = allow({"head"}, 302, otherwise=403)
OWN_DRAFT = dict(allow({"head"}, 302, otherwise=404)) | NO_PROPOSERS

PROPOSAL: Mapping[str, Sequence[Case]] = {
    "alignment:calendar": [Case(get=allow(APPOINTED))],
    "alignment:calendar_new": [
        Case(get=allow({"minister"}), post=allow({"minister"}, 302), data=_calendar)
    ],
    "alignment:calendar_change": [
        Case(_agreement, get=allow({"minister"}), post=allow({"minister"}, 302), data=_calendar)
    ],
    "alignment:proposals": [Case(get=allow(APPOINTED))],
    "alignment:proposals_export": [
        Case(lambda world: {"fmt": "csv"}, get=allow(APPOINTED)),
        Case(lambda world: {"fmt": "xlsx"}, get=allow(APPOINTED)),
    ],
    "alignment:proposal_write": [
        # Without a calendar the page says why nothing can be written; what is sent comes back.
        Case(get=allow(PROPOSERS), post=allow(PROPOSERS), data=_text),
    ],
    "alignment:proposal": [
        Case(_proposed(), get=allow(APPOINTED)),
        Case(_draft, get=dict(allow({"head"}, otherwise=404)) | HIDDEN),
    ],
    "alignment:proposal_change": [
        Case(_proposed("consult"), get=allow({"head"}), post=OWN, data=_text),
        Case(
            _draft,
            get=dict(allow({"head"}, otherwise=404)) | NO_PROPOSERS,
            post=OWN_DRAFT,
            data=_text,
        ),
    ],
    "alignment:proposal_propose": [Case(_draft, post=OWN_DRAFT)],
    "alignment:proposal_discard": [Case(_draft, post=OWN_DRAFT)],
    "alignment:proposal_withdraw": [
        Case(_proposed(), post=OWN, data=lambda world: {"why": "It is in another."})
    ],
    "alignment:consultation": [
        Case(IN_CONSULTATION, get=allow(APPOINTED)),
        Case(_draft, get=dict(allow((), otherwise=404)) | HIDDEN),
    ],
    "alignment:consultation_export": [
        Case(_as(IN_CONSULTATION, "csv"), get=allow(APPOINTED)),
        Case(_as(IN_CONSULTATION, "xlsx"), get=allow(APPOINTED)),
    ],
    "alignment:comment": [
        Case(
            _proposed("consult"),
            post=allow(APPOINTED, 302),
            data=lambda world: {"kind": "comment", "words": "We would join in."},
        )
    ],
    "alignment:answer": [
        Case(
            _commented,
            get=allow({"head"}),
            post=OWN,
            data=lambda world: {"words": "Thank you.", "seen": ""},
        )
    ],
    "alignment:comment_hide": [
        Case(
            _commented,
            post=allow({"minister", "teacher"}, 302),
            data=lambda world: {"why": "It names a pupil."},
        )
    ],
    "alignment:merge": [
        Case(
            _with_another,
            get=allow({"head", "minister"}),
            post=allow({"head", "minister"}, 302),
            data=lambda world: {"other": helpers.titled("All can read").pk, "carries_on": "other"},
        )
    ],
    "alignment:merge_answer": [
        Case(
            _wished,
            post=allow({"head", "system_leader"}, 302),
            data=lambda world: {"answer": "agree"},
        ),
        Case(
            _wished,
            post=allow({"head", "system_leader"}, 302),
            data=lambda world: {"answer": "decline"},
        ),
    ],
}
