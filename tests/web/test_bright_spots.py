"""The list of bright spots and the page of one: who sees what, in which words, in which order."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from brightspots_web.directory.models import School
from brightspots_web.insight import bright_spot_actions as actions
from brightspots_web.insight import bright_spot_queries as queries
from brightspots_web.insight.bright_spot_queries import Search
from brightspots_web.insight.models import BrightSpot, BrightSpotStep, Estimate, Sensitivity
from tests.web.bright_spot_helpers import BRIGHT, VISIT, a_run
from tests.web.conftest import SignIn
from tests.web.world import World

State = BrightSpot.State


def listed(world: World, who: str = "minister", **search: Any) -> list[tuple[str, str]]:
    run = queries.queries.current_run()
    found = queries.pairs(world.cast[who], Search(**search), run)
    return [(key.code, key.subject) for key in queries.keys(found)]


def spot_url(code: str = "N2", subject: str = "Reading") -> str:
    return reverse("insight:bright_spot", args=[code, subject])


def words(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def take(world: World, to: str, code: str = "N2", subject: str = "Reading") -> BrightSpotStep:
    return actions.take_step(
        world.schools[code], subject, by=world.cast["minister"], to=to,
        on=timezone.localdate(), note="Seen <b>with</b> our eyes.",
    )  # fmt: skip


class TestTheList:
    def test_it_is_in_the_order_of_names_whether_or_not_anything_was_noted(
        self, world: World
    ) -> None:
        run = a_run(world)
        wanted = [
            ("E1", "Reading"), ("E1", "Singing"), ("L1", "Reading"), ("N2", "Reading"),
            ("N5", "Reading"),
        ]  # fmt: skip
        assert listed(world) == wanted
        actions.note_candidates(run, by=world.cast["analyst"])
        assert listed(world) == wanted
        School.objects.filter(code="N5").update(name="A school")
        assert listed(world)[0] == ("N5", "Reading")

    def test_no_column_can_be_sorted_and_no_place_in_an_order_is_shown(
        self, world: World, sign_in: SignIn
    ) -> None:
        a_run(world)
        page = words(sign_in("minister"), reverse("insight:bright_spots") + "?sort=-probability")
        assert 'href="?sort=' not in page
        assert "aria-sort" not in page
        assert page.index("School E1") < page.index("School L1") < page.index("School N5")

    @pytest.mark.parametrize(
        ("who", "codes"),
        [
            ("minister", {"E1", "L1", "N2", "N5"}),
            ("analyst", {"E1", "L1", "N2", "N5"}),
            ("district_officer", {"L1", "N2", "N5"}),
            ("other_district_officer", {"E1"}),
            ("system_leader", {"N2", "N5"}),
            ("other_system_leader", {"E1"}),
            ("head", set()),
            ("teacher", set()),
        ],
    )
    def test_each_sees_their_own_part_before_and_after_noting(
        self, world: World, who: str, codes: set[str]
    ) -> None:
        run = a_run(world)
        assert {code for code, _subject in listed(world, who)} == codes
        actions.note_candidates(run, by=world.cast["analyst"])
        a_run(world, {}, minutes=1)  # and when the analysis names nobody any more
        assert {code for code, _subject in listed(world, who)} == codes

    def test_it_is_narrowed_by_outcome_area_label_and_state(self, world: World) -> None:
        a_run(world)
        take(world, State.VISITED, "L1")
        assert listed(world, subject="Singing") == [("E1", "Singing")]
        assert listed(world, area=world.areas["Upper"]) == [("N2", "Reading"), ("N5", "Reading")]
        assert listed(world, label=VISIT) == [("E1", "Singing"), ("N5", "Reading")]
        assert listed(world, state=State.VISITED) == [("L1", "Reading")]
        assert ("L1", "Reading") not in listed(world, state=State.CANDIDATE)
        assert len(listed(world, state=State.CANDIDATE)) == 4
        assert listed(world, label=queries.NO_FLAG) == []
        a_run(world, {("N2", "Reading"): BRIGHT}, minutes=1)
        assert listed(world, label=queries.NO_FLAG) == [("L1", "Reading")]
        assert listed(world) == [("L1", "Reading"), ("N2", "Reading")]
        assert listed(world, label=BRIGHT) == [("N2", "Reading")]

    def test_an_area_outside_the_own_is_not_there(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        client = sign_in("district_officer")
        page = words(client, reverse("insight:bright_spots") + "?area=South")
        assert "no such area" in page
        assert "School E1" not in page
        export = reverse("insight:bright_spots_export", args=["csv"])
        assert client.get(export + "?area=South").status_code == 404

    def test_the_file_holds_what_the_page_holds(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        take(world, State.VISITED)
        answer = sign_in("district_officer").get(
            reverse("insight:bright_spots_export", args=["csv"]) + "?subject=Reading"
        )
        text = b"".join(answer).decode("utf-8-sig")
        rows = [row for row in csv.DictReader(io.StringIO(text)) if row["Outcome"]]
        assert [row["Code"] for row in rows] == ["L1", "N2", "N5"]
        n2 = rows[1]
        assert float(n2["Difference from what is expected, points"]) == 5.0
        assert float(n2["Lower end of the 95 % interval"]) == 3.0
        assert float(n2["Chance that it is far ahead, 0 to 1"]) == 0.97
        assert (n2["Pupils"], n2["Years"]) == ("180", "3")
        assert n2["How far people got"] == "visited"
        assert n2["Since"] == timezone.localdate().isoformat()
        assert "not “not good”" in text

    def test_each_line_says_how_sure_it_is(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        page = words(sign_in("minister"), reverse("insight:bright_spots"))
        assert "about 5.0 points more; likely 3.0 to 7.0" in page
        assert "far ahead: 97% likely" in page
        assert "180 pupils, 3 years" in page
        assert "Of ten schools that are called bright spots, about one is expected" in page
        assert reverse("home:school", args=["N2"]) in page
        assert spot_url() in page

    def test_figures_that_are_withheld_put_nobody_on_the_list(
        self, world: World, sign_in: SignIn
    ) -> None:
        a_run(world, small=("N2",))
        assert ("N2", "Reading") not in listed(world)
        assert sign_in("minister").get(spot_url()).status_code == 404

    def test_without_an_analysis_it_says_so(self, sign_in: SignIn) -> None:
        page = words(sign_in("minister"), reverse("insight:bright_spots"))
        assert "names no school yet" in page

    def test_it_costs_the_same_for_few_and_for_many(
        self, world: World, sign_in: SignIn, django_assert_max_num_queries: Any
    ) -> None:
        run = a_run(world, dict.fromkeys([(code, "Reading") for code in world.schools], BRIGHT))
        actions.note_candidates(run, by=world.cast["analyst"])
        client = sign_in("minister")
        with django_assert_max_num_queries(16):
            client.get(reverse("insight:bright_spots"))

    def test_it_pages(self, world: World, sign_in: SignIn) -> None:
        flags = {(code, "Reading"): BRIGHT for code in world.schools}
        flags |= {(code, "Singing"): BRIGHT for code in ("E1", "E2", "E3")}
        School.objects.bulk_create(
            School(code=f"X{i}", name=f"School X{i}", area=world.areas["West"]) for i in range(10)
        )
        for school in School.objects.filter(code__startswith="X"):
            world.schools[school.code] = school
            flags[school.code, "Reading"] = VISIT
        a_run(world, flags)
        client = sign_in("minister")
        first = words(client, reverse("insight:bright_spots"))
        second = words(client, reverse("insight:bright_spots") + "?page=2")
        assert 'href="/schools/E1/"' in first
        assert 'href="/schools/X9/"' not in first
        assert 'href="/schools/X9/"' in second

    def test_a_system_leader_reads_the_names_of_strong_schools_near_by_without_figures(
        self, world: World, sign_in: SignIn
    ) -> None:
        flags = {("N2", "Reading"): BRIGHT, ("L1", "Reading"): BRIGHT, ("E1", "Reading"): BRIGHT}
        a_run(world, flags)
        School.objects.filter(code="L1").update(latitude=0.9, longitude=30.0)  # 11 km away
        page = words(sign_in("system_leader"), reverse("insight:bright_spots"))
        around = page[page.index("Strong schools around our partnership") :]
        assert "School L1 (Lower)" in around
        assert "School N2" not in around
        assert spot_url("L1") not in page
        officer = words(sign_in("district_officer"), reverse("insight:bright_spots"))
        assert "Strong schools around our partnership" not in officer


class TestOne:
    def test_it_says_figure_interval_chance_basis_and_how_it_was_made(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = a_run(world)
        page = words(sign_in("minister"), spot_url())
        for said in (
            "pupils here reach about 5.0 points more than pupils of schools in similar",
            "It is likely between 3.0 points and 7.0 points more.",
            "Of 100 schools with figures like these, about 97 would truly be ahead",
            "by 1.2 points or more",
            "Of ten schools that are called bright spots, about one",
            "180 pupils over 2021 to 2023 (3 years)",
            reverse("insight:run", args=[run.uuid]),
            reverse("home:school", args=["N2"]),
            "named by the analysis" if BrightSpotStep.objects.exists() else "noted anything yet",
        ):
            assert said in page, said

    @pytest.mark.parametrize(
        ("who", "status"),
        [("head", 200), ("teacher", 200), ("partner_head", 404), ("other_head", 404),
         ("other_district_officer", 404), ("former_head", 404)],
    )  # fmt: skip
    def test_a_school_reads_what_visitors_wrote_about_it_and_its_neighbours_do_not(
        self, world: World, sign_in: SignIn, who: str, status: int
    ) -> None:
        a_run(world)
        take(world, State.VISITED)
        answer = sign_in(who).get(spot_url())
        assert answer.status_code == status
        if status == 200:
            page = answer.content.decode()
            assert "Seen &lt;b&gt;with&lt;/b&gt; our eyes." in page
            assert "Record what happened" not in page
            denied = sign_in(who).post(spot_url(), {"to": "visited", "on": "2026-01-01"})
            assert denied.status_code == 403

    def test_who_is_on_no_list_has_no_page(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        for url in (spot_url("N1"), spot_url("N2", "Dancing"), spot_url("NOBODY")):
            assert sign_in("minister").get(url).status_code == 404

    def test_an_outcome_may_hold_any_character(self, world: World, sign_in: SignIn) -> None:
        run = a_run(world)
        name = 'Lecture / écriture? 100% & "more" #1'
        Estimate.objects.filter(run=run, subject="Reading").update(subject=name)
        run.summary["outcomes"][name] = run.summary["outcomes"].pop("Reading")
        run.save()
        client = sign_in("minister")
        url = spot_url("N2", name)
        assert "about 5.0 points" in words(client, url)
        today = timezone.localdate().isoformat()
        client.post(url, {"to": "visited", "on": today, "note": "Seen.", "seen": "0"})
        assert BrightSpot.objects.get().subject == name
        assert "Seen." in words(client, url)
        words(client, reverse("insight:bright_spot_sheet", args=["N2", name]))

    def test_a_step_is_recorded_from_the_page(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        client = sign_in("district_officer")
        day = timezone.localdate() - timedelta(days=3)
        sent = {"to": "visited", "on": day.isoformat(), "note": "Two lessons.", "seen": "0"}
        answer = client.post(spot_url(), sent, follow=True)
        page = answer.content.decode()
        assert "Recorded: visited." in page
        assert "Two lessons." in page
        step = BrightSpotStep.objects.get(to_state="visited")
        assert (step.on, step.by) == (day, world.cast["district_officer"].label)
        assert "written down on" in page  # it happened three days before

    def test_a_wrong_step_keeps_what_was_typed(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
        sent = {"to": "visited", "on": tomorrow, "note": "A long note.", "seen": "0"}
        page = sign_in("minister").post(spot_url(), sent).content.decode()
        assert "This day is still to come" in page
        assert "A long note." in page
        assert not BrightSpotStep.objects.filter(to_state="visited").exists()

    def test_of_two_people_at_once_the_second_loses_nothing_and_can_save_it_next(
        self, world: World, sign_in: SignIn
    ) -> None:
        a_run(world)
        today = timezone.localdate().isoformat()
        minister, officer = sign_in("minister"), sign_in("district_officer")
        sent = {"to": "visited", "on": today, "note": "The officer’s.", "seen": "0"}
        assert officer.post(spot_url(), sent).status_code == 302
        late = {"to": "set_aside", "on": today, "note": "The minister’s.", "seen": "0"}
        answer = minister.post(spot_url(), late)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert f"In the meantime {world.cast['district_officer'].label} recorded: visited" in page
        assert "The minister’s." in page  # in the form, to be sent again
        assert "The officer’s." in page
        last = BrightSpotStep.objects.latest("pk")
        assert f'name="seen" value="{last.pk}"' in page
        assert minister.post(spot_url(), late | {"seen": last.pk}).status_code == 302
        assert BrightSpot.objects.get().state == "set_aside"

    def test_who_no_longer_stands_out_keeps_page_and_history(
        self, world: World, sign_in: SignIn
    ) -> None:
        a_run(world)
        take(world, State.VISITED)
        a_run(world, {}, minutes=1)
        page = words(sign_in("minister"), spot_url())
        assert "no longer stands out in the newest analysis" in page
        assert "Seen &lt;b&gt;with&lt;/b&gt; our eyes." in page
        assert "results fit what is expected of a school in these circumstances" in page
        assert "Of 100 schools" in page

    def test_a_withdrawn_or_removed_run_leaves_what_people_noted(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = a_run(world)
        take(world, State.VISITED)
        run.withdrawn_at = timezone.now()
        run.save()
        page = words(sign_in("minister"), spot_url())
        assert "No analysis is published at present" in page
        assert "about 5.0 points more" in page  # the figure of the day it was found
        assert "School N2" in words(sign_in("minister"), reverse("insight:bright_spots"))
        run.delete()
        assert "Seen &lt;b&gt;with" in words(sign_in("minister"), spot_url())

    def test_a_closed_school_is_said_to_be_closed(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        School.objects.filter(code="N2").update(closed=timezone.localdate())
        assert "The school closed on" in words(sign_in("minister"), spot_url())

    def test_a_re_test_shows_both_figures_with_both_days(
        self, world: World, sign_in: SignIn
    ) -> None:
        a_run(world)
        for to in (State.VISITED, State.CONFIRMED, State.WRITTEN_UP):
            take(world, to)
        a_run(world, {}, input_hash="second", minutes=60 * 24 * 400)
        take(world, State.RE_TESTED)
        page = words(sign_in("minister"), spot_url())
        assert "Either it was chance from the start" in page
        assert "Then: about 5.0 points more" in page
        assert "Now: as expected, as far as we can tell" in page
        year = timezone.localdate().year
        assert str(year) in page
        assert str((timezone.now() + timedelta(days=400)).year) in page

    def test_it_says_in_which_other_ways_it_would_not_stand_out(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = a_run(world)
        ways = {
            "heavy_tails": 0.45,
            "school_mean": 0.02,
            "latest_year": 0.11,
            "without_latest": 0.3,
        }
        for variant, estimate in ways.items():
            Sensitivity.objects.create(
                run=run, school=world.schools["N2"], subject="Reading", variant=variant, n=180,
                estimate=estimate, se_comparative=0.2, lower=estimate - 0.4, upper=estimate + 0.4,
            )  # fmt: skip
        page = words(sign_in("minister"), spot_url())
        said = page[page.index("Its lead depends on how we reckon") :]
        assert said.index("with the intake of the whole school") < said.index("Ask about")
        said = said[: said.index("Ask about")]
        assert "allowing for a few" not in said
        assert "latest year" not in said  # fewer years only make us less sure
        assert "Who chooses this school, and whom does it choose?" in page

    def test_the_sheet_holds_reasons_questions_and_room_to_write(
        self, world: World, sign_in: SignIn
    ) -> None:
        a_run(world)
        url = reverse("insight:bright_spot_sheet", args=["N2", "Reading"])
        page = words(sign_in("system_leader"), url)
        assert "It lasted: 2021 to 2023 (3 years)" in page
        assert "Sit in two lessons of Reading" in page
        assert page.count('class="lines"') > 8
        assert sign_in("other_system_leader").get(url).status_code == 404

    def test_its_steps_are_a_file(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        take(world, State.VISITED)
        url = reverse("insight:bright_spot_steps", args=["N2", "csv"])
        text = b"".join(sign_in("head").get(url)).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["Step"] for row in rows] == ["named by the analysis", "visited"]
        assert "about 5.0 points more" in rows[0]["The newest published figure that day"]
        assert sign_in("partner_head").get(url).status_code == 404

    def test_the_page_of_one_has_a_budget(
        self, world: World, sign_in: SignIn, django_assert_max_num_queries: Any
    ) -> None:
        a_run(world)
        take(world, State.VISITED)
        client = sign_in("district_officer")
        with django_assert_max_num_queries(26):
            client.get(spot_url())


class TestTheWayThere:
    def test_the_number_on_the_front_page_leads_to_the_schools_it_counts(
        self, world: World, sign_in: SignIn
    ) -> None:
        a_run(world)
        front = words(sign_in("minister"), reverse("home:ministry"))
        link = reverse("insight:bright_spots") + "?label=bright_spot"
        assert f'href="{link}"' in front
        assert "<bdi>3</bdi>" in front[front.index("Bright spot candidates") :]
        page = words(sign_in("minister"), link)
        assert "3 schools are on this list." in page
        assert "School N5" not in page

    def test_from_an_area_to_its_own_list_and_its_own_differences(
        self, world: World, sign_in: SignIn
    ) -> None:
        a_run(world)
        area = world.areas["Upper"]
        front = words(sign_in("district_officer"), reverse("home:area", args=[area.pk]))
        link = reverse("insight:bright_spots") + "?label=bright_spot&amp;area=North+%3E+Upper"
        assert f'href="{link}"' in front
        page = words(sign_in("district_officer"), link.replace("&amp;", "&"))
        assert "1 school is on this list." in page
        assert reverse("insight:variability_area", args=[area.pk]) in front

    def test_from_a_partnership_to_its_differences(self, world: World, sign_in: SignIn) -> None:
        a_run(world)
        page = words(sign_in("head"), reverse("connectedness:partnership", args=["P-UPPER"]))
        assert reverse("insight:variability_partnership", args=["P-UPPER"]) in page

    @pytest.mark.parametrize(("who", "there"), [("system_leader", True), ("head", False)])
    def test_the_menu_names_the_list_for_those_who_have_it(
        self, sign_in: SignIn, who: str, there: bool
    ) -> None:
        page = words(sign_in(who), reverse("directory:schools"))
        assert (f'href="{reverse("insight:bright_spots")}"' in page) is there

    @pytest.mark.parametrize(
        ("who", "there"), [("minister", True), ("head", True), ("partner_head", False)]
    )
    def test_from_a_school_to_its_bright_spot_for_those_who_may_open_it(
        self, world: World, sign_in: SignIn, who: str, there: bool
    ) -> None:
        a_run(world)
        page = words(sign_in(who), reverse("home:school", args=["N2"]))
        assert (f'href="{spot_url()}"' in page) is there
        assert spot_url("N1") not in words(sign_in("minister"), reverse("home:school", args=["N1"]))

    def test_schools_whose_figure_is_withheld_are_not_counted(
        self, world: World, sign_in: SignIn
    ) -> None:
        a_run(world, small=("N2",))
        front = words(sign_in("minister"), reverse("home:ministry"))
        assert "<bdi>2</bdi>" in front[front.index("Bright spot candidates") :]
