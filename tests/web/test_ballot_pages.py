"""Ballots as people meet them: voting on a page, the count, its files, the command."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from typer.testing import CliRunner

from brightspots_cli.main import _register, app
from brightspots_web.alignment import ballot_actions as actions
from brightspots_web.alignment import ballot_pages as pages
from brightspots_web.alignment import ballot_vote_actions as voting
from brightspots_web.alignment.models import Ballot, PriorityProposal, Vote
from brightspots_web.notices import kinds
from brightspots_web.shared.models import AuditEntry
from tests.web import ballot_helpers as helpers
from tests.web.conftest import SignIn
from tests.web.world import World

pytestmark = pytest.mark.django_db


def main(answer: Any) -> str:
    """The page without what every page has, as one reads it."""
    text = answer.content.decode().split("<main", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("&nbsp;", " ")


def vote_url(ballot: Ballot, tier: str = "school") -> str:
    return reverse("alignment:ballot_vote", args=[ballot.pk, tier])


def paper(ballot: Ballot, *places: int, step: str = "check", **more: str) -> dict[str, str]:
    """What the form sends that gives these places to the proposals, in the order of the paper."""
    keys = [each["key"] for each in ballot.choices]
    given = {f"place_{key}": str(place or "") for key, place in zip(keys, places, strict=False)}
    return given | {"step": step} | more


# Opening


def test_the_ministry_sees_the_paper_before_it_opens_the_ballot(
    world: World, sign_in: SignIn
) -> None:
    agreement = helpers.an_agreement()
    helpers.proposals(agreement)
    client = sign_in("minister")
    assert "Open the ballot of “Cycle 1”" in main(client.get(reverse("alignment:ballots")))
    url = reverse("alignment:ballot_open", args=[agreement.pk])
    page = client.get(url)
    shown = main(page)
    assert all(title in shown for title in helpers.TITLES)
    assert "schools: 14" in shown
    form = {name: page.context["form"][name].value() for name in ("closes_on", "seen")}
    assert str(form["seen"]) in shown
    helpers.proposals(agreement, ["One more"])
    late = client.post(url, form | {"seats": "3"})
    assert late.status_code == 409
    assert "A proposal came or went" in main(late)
    seen = late.context["form"]["seen"].value()
    assert client.post(url, form | {"seats": "3", "seen": seen}).status_code == 302
    assert Ballot.objects.get().seats == 3


def test_too_few_proposals_are_refused_on_the_page(world: World, sign_in: SignIn) -> None:
    agreement = helpers.an_agreement()
    helpers.proposals(agreement, helpers.TITLES[:3])
    sent = {"seats": "3", "closes_on": agreement.adopt_from.isoformat()}
    url = reverse("alignment:ballot_open", args=[agreement.pk])
    page = main(sign_in("minister").post(url, sent))
    assert "There are 3 proposals on the table, and 3 are to be chosen." in page
    assert not Ballot.objects.exists()


# Voting


def test_one_ranks_looks_once_more_and_casts(world: World, sign_in: SignIn) -> None:
    ballot = helpers.opened(world)
    client, url = sign_in("head"), vote_url(ballot)
    assert "You vote for School N2, once" in main(client.get(url))
    confirm = client.post(url, paper(ballot, 2, 1))
    titles = [each["title"] for each in ballot.choices]
    assert f"first choice {titles[1]} second choice {titles[0]}" in main(confirm)
    assert not Vote.objects.exists()  # nothing is kept in between
    changed = client.post(url, paper(ballot, 2, 1, step="change")).content.decode()
    assert changed.count("selected") == 4  # what was ranked is still there
    done = client.post(url, paper(ballot, 2, 1, step="cast"), follow=True)
    assert "Your vote is in the urn" in done.content.decode()
    assert Vote.objects.get().ranking == [ballot.choices[1]["key"], ballot.choices[0]["key"]]
    assert "School N2: vote cast" in main(client.get(pages.url(ballot)))


def test_what_was_typed_never_lies_in_a_cache(world: World, sign_in: SignIn) -> None:
    ballot = helpers.opened(world)
    answer = sign_in("head").post(vote_url(ballot), paper(ballot, 1))
    assert "no-store" in answer["Cache-Control"]


def test_an_abstention_is_said_and_cast(world: World, sign_in: SignIn) -> None:
    ballot = helpers.opened(world)
    client, url = sign_in("head"), vote_url(ballot)
    assert "An abstention: the paper ranks nothing." in main(
        client.post(url, paper(ballot, abstain="on"))
    )
    client.post(url, paper(ballot, abstain="on", step="cast"))
    assert Vote.objects.get().ranking == []


@pytest.mark.parametrize("step", ["check", "cast"])
@pytest.mark.parametrize(
    ("places", "more", "words"),
    [
        ((1, 1), {}, "it has the same place as"),
        ((1, 3), {}, "There is a third choice, but no second choice."),
        ((), {}, "Give at least one proposal a place, or say that you abstain."),
        ((1,), {"abstain": "on"}, "You gave places and abstain."),
    ],
)
def test_a_paper_that_cannot_be_is_explained_and_nothing_is_lost(
    world: World, sign_in: SignIn, step: str, places: tuple[int, ...], more: dict[str, str],
    words: str,
) -> None:  # fmt: skip
    ballot = helpers.opened(world)
    answer = sign_in("head").post(vote_url(ballot), paper(ballot, *places, step=step, **more))
    assert answer.status_code == 200
    assert words in main(answer)
    assert answer.content.decode().count("selected") >= len(places)
    assert not Vote.objects.exists()


def test_pressed_twice_it_counts_once(world: World, sign_in: SignIn) -> None:
    ballot = helpers.opened(world)
    client = sign_in("head")
    first = client.post(vote_url(ballot), paper(ballot, 1, step="cast"))
    again = client.post(vote_url(ballot), paper(ballot, 1, step="cast"))
    assert (first.status_code, again.status_code) == (302, 409)
    assert "A vote has been cast for your school. It is final, and counts once." in main(again)
    assert ballot.choices[0]["title"] in main(again)
    assert Vote.objects.count() == 1
    assert "has been cast" in main(client.get(vote_url(ballot)))


def test_after_the_end_one_is_told_the_day_and_what_one_ranked(
    world: World, sign_in: SignIn
) -> None:
    ballot = helpers.opened(world)
    helpers.over(ballot)
    answer = sign_in("head").post(vote_url(ballot), paper(ballot, 0, 1, step="cast"))
    assert answer.status_code == 409
    said = main(answer)
    assert "The ballot closed at the end of" in said
    assert f"first choice {ballot.choices[1]['title']}" in said
    assert "It was not counted and is not kept" in said
    assert not Vote.objects.exists()


def test_what_is_withdrawn_meanwhile_moves_the_others_up(world: World, sign_in: SignIn) -> None:
    ballot = helpers.opened(world)
    gone = PriorityProposal.objects.get(pk=ballot.choices[0]["key"])
    actions.note_withdrawal(gone, by=world.cast["head"])
    answer = sign_in("head").post(vote_url(ballot), paper(ballot, 1, 2, 3, step="cast"))
    assert answer.status_code == 409
    assert f"“{gone.title}” was withdrawn while you were ranking" in main(answer)
    form = answer.context["form"]
    assert form[f"place_{ballot.choices[1]['key']}"].value() == "1"
    assert form[f"place_{ballot.choices[2]['key']}"].value() == "2"
    assert f"place_{gone.pk}" not in form.fields
    assert not Vote.objects.exists()


def test_few_voters_of_a_tier_are_warned(world: World, sign_in: SignIn) -> None:
    ballot = helpers.opened(world, weights={"school": 1, "ministry": 3})
    assert "can be told apart" in main(sign_in("minister").get(vote_url(ballot, "ministry")))
    assert "can be told apart" not in main(sign_in("head").get(vote_url(ballot)))


# What everybody sees


def test_while_it_is_open_turnout_alone_is_shown(world: World, sign_in: SignIn) -> None:
    ballot = helpers.opened(world)
    only = helpers.key_of(ballot, "Attendance")
    voting.cast(ballot, "school", [only], by=world.cast["head"])
    for who in ("minister", "analyst", "teacher"):
        answer = sign_in(who).get(pages.url(ballot))
        assert "7%" in main(answer)
        assert "Round 1" not in main(answer)
        assert answer.context["result"] is None
    entry = AuditEntry.objects.filter(action__startswith="alignment").values_list("detail")
    assert "[" + str(only) + "]" not in str(list(entry))


def test_the_result_is_shown_round_by_round(world: World, sign_in: SignIn) -> None:
    ballot = helpers.closed(world)
    shown = main(sign_in("teacher").get(pages.url(ballot)))
    assert "Chosen: “Early reading” and “Number sense”." in shown
    assert "Round 1 Every paper counts for its first choice." in shown
    assert "Needed to be chosen 2 votes" in shown
    assert "29% 4 of 14 votes cast" in shown
    assert "Abstentions 1 4 papers" in shown


def test_a_front_page_says_who_has_not_voted(world: World) -> None:
    assert pages.front_card(world.cast["head"]) is None
    ballot = helpers.opened(world, weights={"school": 1, "partnership": 1})
    card = pages.front_card(world.cast["head"])
    assert card is not None
    assert card.url == vote_url(ballot)
    assert "School N2 has a vote" in card.text
    voting.cast(ballot, "school", [], by=world.cast["head"])
    assert pages.front_card(world.cast["head"]) is None
    voting.cast(ballot, "school", [], by=world.cast["system_leader"])
    left = pages.front_card(world.cast["system_leader"])
    assert left is not None
    assert left.url == vote_url(ballot, "partnership")
    assert pages.front_card(world.cast["teacher"]) is None
    assert pages.front_card(None) is None
    helpers.over(ballot)
    assert pages.front_card(world.cast["system_leader"]) is None


def test_notices_say_what_is_still_so(world: World) -> None:
    ballot = helpers.opened(world)
    data = {"ballot": ballot.pk}
    given = [(kind, data) for kind in (actions.OPENED, actions.REMINDER, actions.COUNTED)]
    said = [each.label if each else "" for each in kinds.all_words(given)]
    assert "You have a vote." in said[0]
    assert "was not cast when this was sent" in said[1]
    assert "are counted" in said[2]
    helpers.over(ballot)
    assert [bool(each) for each in kinds.all_words(given)] == [False, False, True]
    assert kinds.all_words([(actions.OPENED, {"ballot": 0})]) == [None]


def test_the_pages_ask_few_questions(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    ballot = helpers.closed(world)
    client = sign_in("head")
    with django_assert_max_num_queries(24):
        client.get(pages.url(ballot))
    with django_assert_max_num_queries(24):
        client.get(reverse("alignment:priorities"))
    helpers.opened(world)
    with django_assert_max_num_queries(12):
        client.get(reverse("alignment:ballots"))


# Counting again


def downloaded(client: Client, ballot: Ballot, fmt: str, to: Path) -> Path:
    answer = client.get(reverse("alignment:ballot_papers", args=[ballot.pk, fmt]))
    assert f"ballot-cycle-1.{fmt}" in answer["Content-Disposition"]
    file = to / f"ballot.{fmt}"
    file.write_bytes(answer.content)
    return file


def run(file: Path) -> Any:
    if not app.registered_commands:
        _register()
    return CliRunner().invoke(app, ["count-ballot", str(file)])


@pytest.mark.parametrize("fmt", ["json", "csv"])
def test_the_command_comes_to_the_same_from_the_downloaded_file(
    world: World, sign_in: SignIn, tmp_path: Path, fmt: str
) -> None:
    ballot = helpers.closed(world, titles=(*helpers.TITLES, '=SUM(A1), "quoted"'))
    file = downloaded(sign_in("teacher"), ballot, fmt, tmp_path)
    done = run(file)
    assert done.exit_code == 0, done.output
    assert "Chosen: Early reading; Number sense" in done.output
    assert "The file says the same." in done.output
    assert "4 papers, 1 of them abstentions" in done.output
    text = file.read_text()
    for name in ("School N2", "N2", "Head"):
        assert name not in text


def test_a_paper_changed_in_the_file_shows(world: World, sign_in: SignIn, tmp_path: Path) -> None:
    ballot = helpers.closed(world)
    file = downloaded(sign_in("teacher"), ballot, "json", tmp_path)
    data = json.loads(file.read_text())
    data["papers"].append(
        {"tier": "school", "ranking": [helpers.key_of(ballot, "Attendance")], "count": 9}
    )
    file.write_text(json.dumps(data))
    done = run(file)
    assert done.exit_code == 1
    assert "The file says otherwise: Early reading; Number sense" in done.output


def test_a_result_that_names_no_choice_shows(world: World, sign_in: SignIn, tmp_path: Path) -> None:
    file = downloaded(sign_in("teacher"), helpers.closed(world), "json", tmp_path)
    data = json.loads(file.read_text())
    data["result"]["chosen"][1] = 10**6
    file.write_text(json.dumps(data))
    done = run(file)
    assert done.exit_code == 1
    assert "The file says otherwise: Early reading; 1000000, which is no choice" in done.output


@pytest.mark.parametrize("count", [2.7, float("inf"), True, "two", None])
def test_a_number_of_papers_that_is_not_whole_is_not_rounded(
    world: World, sign_in: SignIn, tmp_path: Path, count: object
) -> None:
    from brightspots.core.errors import InputError

    file = downloaded(sign_in("teacher"), helpers.closed(world), "json", tmp_path)
    data = json.loads(file.read_text())
    data["papers"][0]["count"] = count
    file.write_text(json.dumps(data))
    done = run(file)
    assert isinstance(done.exception, InputError)
    assert "no ballot that can be counted" in str(done.exception)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "a,b\n1,2\n", '{"format": "brightspots-ballot-1"}', "\x00", '{"a":' + "[" * 200_000],
    ids=["empty", "nothing", "other columns", "format alone", "a zero byte", "endless lists"],
)
def test_what_is_no_ballot_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    from brightspots.core.errors import InputError

    file = tmp_path / "no-ballot"
    file.write_text(text)
    done = run(file)
    assert isinstance(done.exception, InputError)
    assert "no ballot that can be counted" in str(done.exception)
