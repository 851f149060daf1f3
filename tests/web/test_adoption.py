"""Adopting two or three: what the ballot chose, or others with a reason; a fourth never."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from brightspots_web.alignment import actions as priorities
from brightspots_web.alignment import adoption_actions as actions
from brightspots_web.alignment import adoption_queries, queries
from brightspots_web.alignment import ballot_queries as ballots
from brightspots_web.alignment.actions import Wanted
from brightspots_web.alignment.adoption_actions import Measured, Taken
from brightspots_web.alignment.living_actions import Aim, Baseline
from brightspots_web.alignment.models import (
    Adoption,
    Agreement,
    Ballot,
    Priority,
    PriorityIndicator,
    PriorityProposal,
)
from brightspots_web.directory.models import Indicator
from brightspots_web.notices.models import Notice
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import ballot_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.test_ballot_pages import main
from tests.web.world import World

pytestmark = pytest.mark.django_db
LATER = timezone.localdate() + timedelta(days=700)
AIM = Aim("Nine in ten read a page aloud", "every child in its fifth year", LATER)
BY_HAND = Baseline(62.0, 58.0, 66.0, 400, "pupils", timezone.localdate(), "Reading survey")


def proposal(title: str) -> PriorityProposal:
    return PriorityProposal.objects.get(title=title)


def taken(*titles: str, aim: Aim = AIM, measures: tuple[Measured, ...] = ()) -> list[Taken]:
    return [Taken(proposal(title), f"Why {title}.", aim, measures) for title in titles]


def live() -> list[str]:
    return sorted(each.title for each in queries.live_priorities())


def in_adoption(world: World, **more: Any) -> Agreement:
    """The ballot chose early reading and number sense; adoption has begun."""
    return helpers.closed(world, **more).agreement


def test_what_was_chosen_becomes_live_with_aim_drivers_and_indicators(world: World) -> None:
    agreement = in_adoption(world)
    indicator = Indicator.objects.create(code="aloud", name="Reads aloud", unit="%")
    measured = (Measured(indicator, baseline=BY_HAND),)
    adoption = actions.adopt(
        agreement,
        [*taken("Early reading", measures=measured), *taken("Number sense")],
        by=world.cast["minister"],
    )
    assert live() == ["Early reading", "Number sense"]
    reading = Priority.objects.get(title="Early reading")
    assert reading.proposal == proposal("Early reading")
    assert (reading.how_good, reading.for_whom, reading.by_when) == (
        AIM.how_good, AIM.for_whom, AIM.by_when,
    )  # fmt: skip
    assert reading.drivers == proposal("Early reading").drivers
    measure = PriorityIndicator.objects.get()
    assert (measure.baseline, measure.lower, measure.n, measure.source) == (
        62.0, 58.0, 400, "Reading survey",
    )  # fmt: skip
    states = {each.title: each.state for each in PriorityProposal.objects.all()}
    assert states == {
        "Early reading": "adopted", "Number sense": "adopted",
        "Talk in lessons": "not_adopted", "Attendance": "not_adopted",
    }  # fmt: skip
    assert adoption.why == ""
    assert Notice.objects.filter(person=world.person("head"), kind__contains="proposal").exists()


def test_pressed_twice_they_are_adopted_once(world: World) -> None:
    agreement = in_adoption(world)
    both = taken("Early reading", "Number sense")
    for _press in range(2):
        actions.adopt(agreement, both, by=world.cast["minister"])
    assert Adoption.objects.count() == 1
    assert AuditEntry.objects.filter(action="alignment.adopt").count() == 1


@pytest.mark.parametrize(
    ("titles", "words"),
    [
        ((), "Name two or three"),
        (("Early reading",), "A single priority leaves too much out"),
        (helpers.TITLES, "More than three priorities are none"),
    ],
)
def test_a_fourth_and_a_single_one_are_refused_by_the_action(
    world: World, titles: tuple[str, ...], words: str
) -> None:
    agreement = in_adoption(world)
    with pytest.raises(ValidationError, match=words):
        actions.adopt(agreement, taken(*titles), by=world.cast["minister"], why="Because.")
    assert live() == []


def test_a_fourth_is_refused_by_the_model(world: World) -> None:
    priorities.set_priorities(
        [Wanted("A"), Wanted("B"), Wanted("C")], by=world.cast["minister"]
    )  # fmt: skip
    fourth = Priority(code="d", title="D", starts=timezone.localdate())
    with pytest.raises(ValidationError, match="a fourth would be one too many"):
        fourth.full_clean()
    Priority.objects.filter(title="C").update(ends=timezone.localdate())
    fourth.full_clean()


def test_others_than_were_chosen_need_a_reason_that_everybody_reads(
    world: World, sign_in: SignIn
) -> None:
    agreement = in_adoption(world)
    others = taken("Early reading", "Attendance")
    with pytest.raises(ValidationError, match="not the ones that the ballot chose"):
        actions.adopt(agreement, others, by=world.cast["minister"], why="  ")
    reason = "(Invented.) Half of the pupils miss a day a week."
    actions.adopt(agreement, others, by=world.cast["minister"], why=reason)
    ballot = Ballot.objects.get()
    for url in (reverse("alignment:priorities"), reverse("alignment:ballot", args=[ballot.pk])):
        assert reason in main(sign_in("teacher").get(url))


def test_two_of_three_chosen_is_another_choice_too(world: World) -> None:
    agreement = in_adoption(world, seats=3)
    chosen = ballots.chosen(Ballot.objects.get())
    assert len(chosen) == 3
    with pytest.raises(ValidationError, match="not the ones that the ballot chose"):
        actions.adopt(
            agreement, taken("Early reading", "Number sense"), by=world.cast["minister"]
        )  # fmt: skip


def test_without_a_ballot_a_reason_is_owed(world: World) -> None:
    agreement = helpers.an_agreement("adopt")
    helpers.proposals(agreement, helpers.TITLES[:2])
    both = taken(*helpers.TITLES[:2])
    with pytest.raises(ValidationError, match="No ballot chose these"):
        actions.adopt(agreement, both, by=world.cast["minister"])
    actions.adopt(agreement, both, by=world.cast["minister"], why="There were only two.")
    assert len(live()) == 2


def test_nothing_is_adopted_before_the_count_or_out_of_time(world: World) -> None:
    minister = world.cast["minister"]
    ballot = helpers.opened(world)
    both = taken("Early reading", "Number sense")
    with pytest.raises(ValidationError, match="can be adopted from"):
        actions.adopt(ballot.agreement, both, by=minister)
    with pytest.raises(ValidationError, match="not counted yet"):
        actions.adopt(helpers.over(ballot).agreement, both, by=minister)
    helpers.move_to(ballot.agreement, "review")
    with pytest.raises(ValidationError, match="is over"):
        actions.adopt(ballot.agreement, both, by=minister)


@pytest.mark.parametrize("who", ["analyst", "district_officer", "system_leader", "head", "teacher"])
def test_the_ministry_alone_adopts(world: World, who: str) -> None:
    agreement = in_adoption(world)
    with pytest.raises(PermissionDenied):
        actions.adopt(agreement, taken("Early reading", "Number sense"), by=world.cast[who])


@pytest.mark.parametrize(
    ("aim", "field"),
    [
        (Aim("", "all", LATER), "how_good"),
        (Aim("Good", " ", LATER), "for_whom"),
        (Aim("Good", "all", None), "by_when"),
        (Aim("Good", "all", timezone.localdate()), "by_when"),
    ],
)
def test_an_aim_says_how_good_for_whom_and_by_when(world: World, aim: Aim, field: str) -> None:
    agreement = in_adoption(world)
    for titles in (("Number sense",), ("Early reading", "Number sense")):
        wanted = [
            *taken(*titles, aim=aim), *taken(*{"Early reading", "Number sense"} - set(titles))
        ]  # fmt: skip
        with pytest.raises(actions.AimsError) as refused:
            actions.adopt(agreement, wanted, by=world.cast["minister"])
        about = {key: list(each.message_dict) for key, each in refused.value.about.items()}
        assert about == {proposal(title).pk: [field] for title in titles}
    assert live() == []


def test_a_proposal_withdrawn_after_the_ballot_is_not_adopted(world: World) -> None:
    agreement = in_adoption(world)
    both = taken("Early reading", "Number sense")
    PriorityProposal.objects.filter(title="Number sense").update(state="withdrawn")
    with pytest.raises(OvertakenError, match="“Number sense” is no longer on the table"):
        actions.adopt(agreement, both, by=world.cast["minister"])


def test_what_was_live_ends_and_the_same_title_goes_on(world: World) -> None:
    minister = world.cast["minister"]
    before = priorities.set_priorities([Wanted("Early reading"), Wanted("Old")], by=minister)
    agreement = in_adoption(world)
    actions.adopt(agreement, taken("Early reading", "Number sense"), by=minister)
    assert live() == ["Early reading", "Number sense"]
    assert Priority.objects.get(title="Early reading").pk == before[0].pk
    assert Priority.objects.get(title="Old").ends == timezone.localdate()


# On the page


def test_a_fourth_and_a_single_one_are_refused_on_the_page_with_the_reason(
    world: World, sign_in: SignIn
) -> None:
    agreement = in_adoption(world)
    client = sign_in("minister")
    url = reverse("alignment:adopt", args=[agreement.pk])
    page = client.get(url)
    assert page.content.decode().count("checked") == 2  # what the ballot chose
    keys = [each.pk for each in ballots.on_the_table(agreement)]
    four = client.get(url, {"p": keys, "go": "1"})
    assert "More than three priorities are none" in main(four)
    assert four.content.decode().count("checked") == 4  # what was ticked is not lost
    for sent in (keys, keys[:1], []):
        for answer in (client.get(url, {"p": sent, "go": "1"}), client.post(url, {"p": sent})):
            assert "How good" not in main(answer)
    assert "A single priority" in main(client.post(url, {"p": keys[:1]}))
    assert live() == []


def test_the_page_asks_for_what_is_missing_then_adopts(world: World, sign_in: SignIn) -> None:
    agreement = in_adoption(world)
    indicator = Indicator.objects.create(code="aloud", name="Reads aloud", unit="%")
    reading, number = proposal("Early reading"), proposal("Number sense")
    reading.indicators.add(indicator)
    client = sign_in("minister")
    url = reverse("alignment:adopt", args=[agreement.pk])
    page = main(client.get(url, {"p": [reading.pk, number.pk], "go": "1"}))
    assert "Measured by: Reads aloud" in page
    assert "Why not just what the ballot chose" not in page
    sent: dict[str, Any] = {
        "p": [reading.pk, number.pk],
        "mark": adoption_queries.mark_of(agreement),
        f"p{reading.pk}-how_good": "MINE",
        f"p{reading.pk}-i{indicator.pk}-baseline": "50",
    }
    wrong = client.post(url, sent)
    assert wrong.status_code == 200
    assert "MINE" in wrong.content.decode()
    assert "Say for whom" in main(wrong)
    sent |= {
        f"p{reading.pk}-{name}": value
        for name, value in {"for_whom": "All", "by_when": LATER.isoformat()}.items()
    }
    sent |= {
        f"p{number.pk}-{name}": value
        for name, value in {
            "how_good": "Good", "for_whom": "All", "by_when": LATER.isoformat(), "why": "So.",
        }.items()
    }  # fmt: skip
    hand = client.post(url, sent)
    assert "Say how many stand behind it" in main(hand)
    assert live() == []  # all or nothing
    sent |= {
        f"p{reading.pk}-i{indicator.pk}-{name}": value
        for name, value in {
            "n": "40", "n_of": "pupils", "as_of": "2026-01-31", "source": "Survey",
        }.items()
    }  # fmt: skip
    done = client.post(url, sent, follow=True)
    assert "Adopted: these are the priorities from today." in done.content.decode()
    assert live() == ["Early reading", "Number sense"]
    assert PriorityIndicator.objects.get().baseline == 50


def test_what_changed_meanwhile_is_not_adopted_silently(world: World, sign_in: SignIn) -> None:
    agreement = in_adoption(world)
    reading, number = proposal("Early reading"), proposal("Number sense")
    url = reverse("alignment:adopt", args=[agreement.pk])
    sent = {"p": [reading.pk, number.pk], "mark": "another"}
    for each in (reading, number):
        sent |= {
            f"p{each.pk}-how_good": "MINE", f"p{each.pk}-for_whom": "All",
            f"p{each.pk}-by_when": LATER.isoformat(),
        }  # fmt: skip
    answer = sign_in("minister").post(url, sent)
    assert answer.status_code == 409
    assert "MINE" in answer.content.decode()
    assert live() == []
    again = sent | {"mark": answer.context["reason"]["mark"].value()}
    assert sign_in("minister").post(url, again).status_code == 302


def test_a_published_figure_becomes_the_baseline(world: World) -> None:
    from brightspots_web.alignment import living_queries
    from tests.web import living_helpers

    living_helpers.published(world)
    offered = living_queries.published_figures("Reading")
    agreement = in_adoption(world)
    indicator = Indicator.objects.create(code="reading", name="Reading", purpose="accountability")
    measured = (Measured(indicator, figure=offered[0].figure),)
    actions.adopt(
        agreement,
        [*taken("Early reading", measures=measured), *taken("Number sense")],
        by=world.cast["minister"],
    )
    measure = PriorityIndicator.objects.get()
    assert measure.baseline == offered[0].value
    assert measure.n == offered[0].n
    assert str(offered[0].run.uuid) in measure.source


def test_the_front_door_says_what_one_can_do_now(world: World, sign_in: SignIn) -> None:
    url = reverse("alignment:priorities")
    agreement = helpers.an_agreement("propose")
    assert "Propose a priority" in main(sign_in("head").get(url))
    assert "Propose a priority" not in main(sign_in("teacher").get(url))
    helpers.move_to(agreement, "consult")
    assert "Read the proposals" in main(sign_in("teacher").get(url))
    helpers.proposals(agreement)
    helpers.move_to(agreement, "ballot")
    assert "Open the ballot" in main(sign_in("minister").get(url))
    assert "Open the ballot" not in main(sign_in("head").get(url))
    from brightspots_web.alignment import ballot_actions

    ballot = ballot_actions.open_ballot(
        agreement, seats=2, closes_on=agreement.adopt_from, by=world.cast["minister"]
    )
    assert "Vote for School N2" in main(sign_in("head").get(url))
    assert "Vote for" not in main(sign_in("teacher").get(url))
    helpers.over(ballot)
    assert "Count the ballot" in main(sign_in("minister").get(url))
    ballot_actions.close_ballot(ballot, by=world.cast["minister"])
    assert "Adopt the priorities" in main(sign_in("minister").get(url))
    assert "Adopt the priorities" not in main(sign_in("analyst").get(url))
