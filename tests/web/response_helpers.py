"""Comments, answers and suggestions of the invented system, made as the pages make them."""

from typing import Any

from brightspots_web.accountability import response_actions as actions
from brightspots_web.accountability import suggestion_actions as suggestions
from brightspots_web.accountability import suggestion_queries
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import (
    Consultation,
    Suggestion,
    SuggestionSettings,
    VoiceComment,
)
from tests.web import voice_helpers
from tests.web.world import World


def counted(world: World, answers: int = 6, **changes: Any) -> Consultation:
    """A consultation of North county, owed by its officer, moderated by the analyst."""
    owed = {
        "stakeholder": world.person("district_officer"),
        "answer_due": voice_helpers.in_days(30),
    }
    return voice_helpers.a_consultation(world, state="closed", by="minister", answers=answers,
                                        **(owed | changes))  # fmt: skip


def comments(consultation: Consultation) -> list[VoiceComment]:
    rows = voice.comments_of(consultation).select_related("question__consultation")
    return list(rows.order_by("pk"))


def a_comment(consultation: Consultation) -> VoiceComment:
    return comments(consultation)[0]


def moderated(world: World) -> Consultation:
    """The same, with one of its comments read by the moderator."""
    found = counted(world)
    actions.show(a_comment(found), by=world.cast["analyst"])
    return found


def a_point(world: World, consultation: Consultation) -> Any:
    return actions.add_point(
        consultation, by=world.cast["district_officer"], seen=None,
        said="There are too few books.", did="A box of forty for each class.",
    )  # fmt: skip


def a_box(world: World, area: str = "North") -> SuggestionSettings:
    return suggestions.set_box(
        world.areas[area], by=world.cast["minister"], seen=None,
        stakeholder=world.person("district_officer"), moderator=world.person("analyst"),
        answer_days=30,
    )  # fmt: skip


def filled(world: World, box: SuggestionSettings, people: int = 5) -> None:
    """Let so many teachers put one suggestion in each."""
    for number in range(people):
        by = voice_helpers.teacher_at(world, "N2", number + 20)
        suggestions.put_in(box, f"Start at eight. {number}", by=by, used=None)


def released(world: World) -> list[Suggestion]:
    """Five suggestions of North county, to be moderated."""
    box = a_box(world)
    filled(world, box)
    suggestions.release(box, by=world.cast["analyst"])
    return list(suggestion_queries.of_box(box))


def shown(world: World) -> Suggestion:
    return suggestions.show(released(world)[0], by=world.cast["analyst"])
