"""What a group had before it is kept with its decision, notes and all, and can be read later."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import conversation_pages
from brightspots_web.devolution import decision_actions as actions
from brightspots_web.devolution import decision_follow_actions as follow
from brightspots_web.devolution.models import Decision, DecisionAction, DecisionConsent
from brightspots_web.directory.models import Membership
from tests.web import decision_helpers as decisions
from tests.web import note_helpers as notes
from tests.web.conftest import SignIn
from tests.web.world import World


def test_a_decision_kept_with_a_shared_note_shows_it_with_its_day(
    world: World, sign_in: SignIn
) -> None:
    live: list[Priority] = notes.priorities(world)
    note = notes.shared(world, words="They guess from the first letter.", priority=live[0])
    head = world.cast["head"]
    frozen = conversation_pages.frozen_view(world.partnerships["Upper"], live, head)
    kept = frozen["priorities"][0]["notes"]
    assert [(each["key"], each["on"]) for each in kept] == [(note.pk, note.on.isoformat())]
    decision = decisions.proposed(world)
    decision.data_said = frozen
    decision.save()
    page = sign_in("partner_head").get(reverse("devolution:decision", args=[decision.pk]))
    assert page.status_code == 200
    assert "They guess from the first letter." in page.content.decode()


def test_who_left_reads_neither_later_words_nor_later_deeds(world: World, sign_in: SignIn) -> None:
    decision = decisions.made(world)
    first = decisions.action(world, decision, what="Promised before")
    days_ago = timezone.now() - timedelta(days=5)
    Decision.objects.update(at=days_ago, made_at=days_ago, changed_at=days_ago)
    DecisionAction.objects.update(at=days_ago)
    DecisionConsent.objects.update(at=days_ago)
    proposal = decisions.proposed(world, question="Before N3 left")
    Decision.objects.filter(pk=proposal.pk).update(at=days_ago, changed_at=days_ago)
    Membership.objects.filter(school=world.schools["N3"]).update(ends=timezone.localdate())
    follow.finish_action(
        first,
        by=world.cast["system_leader"],
        outcome="Said afterwards",
        on=timezone.localdate(),
        seen=None,
    )
    decisions.action(world, decision, what="Promised afterwards", owner=world.person("teacher"))
    proposal.refresh_from_db()
    actions.change(
        proposal,
        decisions.text(world, question="After N3 left", owner=world.person("teacher")),
        by=world.cast["head"],
        seen=None,
    )
    reader, stays = sign_in("partner_head"), sign_in("head")
    for key, before, after in (
        (decision.pk, ["Promised before"], ["Said afterwards", "Promised afterwards"]),
        (proposal.pk, ["Before N3 left"], ["After N3 left"]),
    ):
        url = reverse("devolution:decision", args=[key])
        page = reader.get(url).content.decode()
        assert "as it stood then" in page
        assert all(each in page for each in before)
        assert not any(each in page for each in after)
        assert all(each in stays.get(url).content.decode() for each in after)
    for name in ("partnership_decisions", "partnership_decisions_export"):
        args = ["P-UPPER", "csv"] if name.endswith("export") else ["P-UPPER"]
        answer = reader.get(reverse(f"devolution:{name}", args=args))
        content = answer.getvalue()
        assert b"Before N3 left" in content
        assert b"After N3 left" not in content
    listed = reverse("devolution:partnership_decisions", args=["P-UPPER"])
    found = reader.get(listed, {"state": "made"})
    assert b"Before N3 left" in found.content  # a filter tells nothing of what came later
