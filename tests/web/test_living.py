"""A live priority: its aim, what drives it, by what it is measured, and what its page says."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.alignment import living_actions as actions
from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment import living_words as words
from brightspots_web.alignment.living_actions import Aim
from brightspots_web.alignment.models import Priority, PriorityIndicator
from brightspots_web.insight.models import AreaFigure
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import living_helpers as living
from tests.web.conftest import SignIn
from tests.web.world import World

pytestmark = pytest.mark.django_db


def page(sign_in: SignIn, who: str, name: str = "priority", **kwargs: Any) -> str:
    kwargs.setdefault("code", "early-reading")
    return sign_in(who).get(reverse(f"alignment:{name}", kwargs=kwargs)).content.decode()


def said(refused: pytest.ExceptionInfo[ValidationError]) -> dict[str, list[str]]:
    return refused.value.message_dict


class TestTheAim:
    def test_it_is_said_in_one_breath_and_the_old_one_is_audited(self, world: World) -> None:
        reading, _number = living.priorities(world)
        first = living.an_aim(world, reading)
        assert first.version == 2
        assert words.aim(first).startswith("Nine in ten read a page aloud; every child of ten; by")
        living.an_aim(world, reading, how_good="All of them read")
        entry = AuditEntry.objects.filter(action="alignment.set_aim").latest("pk")
        assert entry.detail["before"]["how_good"] == "Nine in ten read a page aloud"
        assert entry.detail["now"]["how_good"] == "All of them read"

    def test_the_same_again_changes_nothing(self, world: World) -> None:
        reading, _number = living.priorities(world)
        living.an_aim(world, reading)
        assert living.an_aim(world, reading).version == 2
        assert AuditEntry.objects.filter(action="alignment.set_aim").count() == 1

    def test_an_aim_lies_ahead(self, world: World) -> None:
        reading, _number = living.priorities(world)
        with pytest.raises(ValidationError) as refused:
            living.an_aim(world, reading, by_when=living.today() - timedelta(days=1))
        assert "past" in said(refused)["by_when"][0]

    def test_a_day_that_passed_meanwhile_does_not_keep_anybody_from_mending_the_rest(
        self, world: World
    ) -> None:
        reading, _number = living.priorities(world)
        gone = living.today() - timedelta(days=1)
        Priority.objects.filter(pk=reading.pk).update(by_when=gone)
        assert living.an_aim(world, reading, by_when=gone).how_good

    @pytest.mark.parametrize("who", ["analyst", "district_officer", "system_leader", "head"])
    def test_it_is_the_ministrys(self, world: World, who: str) -> None:
        reading, _number = living.priorities(world)
        with pytest.raises(PermissionDenied):
            actions.set_aim(reading, Aim("More"), by=world.cast[who], seen=None)
        with pytest.raises(PermissionDenied):
            actions.set_drivers(reading, "More", by=world.cast[who], seen=None)

    def test_what_ended_stays_as_it_was(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        Priority.objects.filter(pk=reading.pk).update(
            starts=living.today() - timedelta(days=9), ends=living.today()
        )
        with pytest.raises(ValidationError, match="has ended"):
            living.an_aim(world, reading)
        assert "This priority has ended" in page(sign_in, "minister")
        url = reverse("alignment:aim", args=[reading.code])
        assert sign_in("minister").get(url).status_code == 403

    def test_who_was_overtaken_keeps_what_was_written(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        client, url = sign_in("minister"), reverse("alignment:aim", args=[reading.code])
        living.an_aim(world, reading)
        response = client.post(url, {"how_good": "Mine", "seen": "1"})
        shown = response.content.decode()
        assert response.status_code == 409
        assert "Mine" in shown
        assert "Nine in ten read a page aloud" in shown  # how it stands by now
        assert 'name="seen" value="2"' in shown
        assert client.post(url, {"how_good": "Mine", "seen": "2"}).status_code == 302
        reading.refresh_from_db()
        assert reading.how_good == "Mine"


class TestTheDrivers:
    def test_an_outline_is_kept_tidy_drawn_and_listed(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        kept = living.drivers(world, reading, living.OUTLINE.replace("  ", "\t") + "\n\n- Books")
        assert kept.drivers == living.OUTLINE + "\nBooks"
        shown = page(sign_in, "teacher")
        assert '<svg xmlns="http://www.w3.org/2000/svg"' in shown
        assert "<li>Books in every class<ul><li>A box of forty</li></ul></li>" in shown
        assert reverse("alignment:drivers", args=[reading.code]) not in shown

    def test_a_line_that_cannot_be_read_is_named_and_nothing_typed_is_lost(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        url = reverse("alignment:drivers", args=[reading.code])
        response = sign_in("minister").post(url, {"drivers": "One\n     Two", "seen": "1"})
        shown = response.content.decode()
        assert "Line 2 is five blanks deeper than line 1: two at most." in shown
        assert "     Two" in shown
        reading.refresh_from_db()
        assert reading.drivers == ""

    def test_blanks_before_the_first_line_are_not_cut_off(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        url = reverse("alignment:drivers", args=[reading.code])
        sign_in("minister").post(url, {"drivers": "  One\n    Two", "seen": "1"})
        reading.refresh_from_db()
        assert reading.drivers == "One\n  Two"

    def test_the_old_outline_is_in_the_audit_trail(self, world: World) -> None:
        reading, _number = living.priorities(world)
        living.drivers(world, reading)
        living.drivers(world, reading, "Only this")
        entry = AuditEntry.objects.filter(action="alignment.set_drivers").latest("pk")
        assert entry.detail["before"]["drivers"] == living.OUTLINE

    def test_who_was_overtaken_sees_both(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        living.drivers(world, reading)
        url = reverse("alignment:drivers", args=[reading.code])
        response = sign_in("minister").post(url, {"drivers": "My own", "seen": "1"})
        assert response.status_code == 409
        assert "My own" in response.content.decode()
        assert "A box of forty" in response.content.decode()

    def test_an_outline_put_there_by_other_means_does_not_break_the_page(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        Priority.objects.filter(pk=reading.pk).update(drivers="One\n       Two")
        assert "Nobody has written down yet what drives it" in page(sign_in, "head")


class TestMeasures:
    def test_a_baseline_stands_with_all_that_is_behind_it(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        living.measured(world, reading)
        shown = page(sign_in, "head")
        for part in ("Pages read aloud", "for improvement", "62.5 points", "58 to 66",
                     "900 pupils", "3 November 2025", "Reading survey, table 3"):  # fmt: skip
            assert part in shown, part

    def test_one_without_an_interval_says_so(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        living.measured(world, reading, replace(living.BASELINE, lower=None, upper=None))
        assert "none given: read it as rough" in page(sign_in, "head")

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"baseline": None}, "baseline"),
            ({"baseline": float("nan")}, "baseline"),
            ({"lower": None}, "lower"),
            ({"lower": 63.0}, "lower"),
            ({"n": None}, "n"),
            ({"n_of": " "}, "n_of"),
            ({"as_of": None}, "as_of"),
            ({"as_of": living.today() + timedelta(days=1)}, "as_of"),
            ({"source": ""}, "source"),
        ],
        ids=str,
    )
    def test_a_number_without_what_is_behind_it_is_refused(
        self, world: World, changed: dict[str, Any], field: str
    ) -> None:
        reading, _number = living.priorities(world)
        measure = living.measured(world, reading, None)
        with pytest.raises(ValidationError) as refused:
            actions.set_baseline(
                measure, replace(living.BASELINE, **changed), by=world.cast["minister"], seen=None
            )
        assert set(said(refused)) == {field}
        measure.refresh_from_db()
        assert measure.baseline is None

    def test_pressed_twice_it_is_measured_once(self, world: World) -> None:
        reading, _number = living.priorities(world)
        first, second = (living.measured(world, reading, None) for _time in range(2))
        assert first == second
        assert AuditEntry.objects.filter(action="alignment.measure_by").count() == 1

    def test_a_new_baseline_keeps_the_old_one_in_the_audit_trail(self, world: World) -> None:
        reading, _number = living.priorities(world)
        living.measured(world, reading)
        living.measured(world, reading, replace(living.BASELINE, baseline=60.0))
        entry = AuditEntry.objects.filter(action="alignment.set_baseline").latest("pk")
        assert (entry.detail["before"]["baseline"], entry.detail["now"]["baseline"]) == (62.5, 60)

    def test_one_taken_away_leaves_its_baseline_in_the_audit_trail(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        measure = living.measured(world, reading)
        url = reverse("alignment:measure_remove", args=[reading.code, measure.pk])
        sign_in("minister").post(url, {"seen": str(measure.version)})
        assert not PriorityIndicator.objects.exists()
        entry = AuditEntry.objects.get(action="alignment.stop_measuring")
        assert entry.detail["baseline"] == 62.5

    def test_who_was_overtaken_keeps_the_numbers(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        measure = living.measured(world, reading)
        url = reverse("alignment:measure", args=[reading.code, measure.pk])
        response = sign_in("minister").post(url, {"baseline": "61", "n": "12", "seen": "1"})
        assert response.status_code == 409
        assert 'value="61"' in response.content.decode()
        with pytest.raises(OvertakenError):
            actions.stop_measuring(measure, by=world.cast["minister"], seen=1)

    def test_they_can_be_taken_along(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        living.measured(world, reading)
        url = reverse("alignment:measures_export", args=[reading.code, "csv"])
        sent = b"".join(sign_in("head").get(url)).decode()
        assert (
            "Pages read aloud,for improvement,points,62.5,58.0,66.0,900,pupils,2025-11-03" in sent
        )


class TestPublishedBaselines:
    def test_what_is_published_is_offered_with_its_interval(self, world: World) -> None:
        living.published(world)
        mean, spread, in_need, touched = queries.published_figures("Reading")
        assert (mean.value, mean.n, mean.n_of, mean.year) == (101.5, 840, "pupils", 2023)
        assert mean.lower is None  # none was published, so none is made up
        assert (spread.value, spread.lower, spread.upper, spread.n) == (3.2, 2.1, 4.9, 14)
        assert (in_need.value, touched.value) == (3.5, 70)
        assert in_need.lower is not None
        # 14 schools at a chance of 1 in 4: 1.96 times the root of 14 x 3/16.
        assert in_need.value - in_need.lower == pytest.approx(1.96 * (14 * 0.1875) ** 0.5)

    def test_one_press_takes_it_and_keeps_the_old_in_the_audit_trail(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = living.published(world)
        reading, _number = living.priorities(world)
        measure = living.measured(world, reading)
        url = reverse("alignment:measure_refresh", args=[reading.code, measure.pk])
        sign_in("minister").post(url, {"figure": "spread", "seen": str(measure.version)})
        measure.refresh_from_db()
        assert (measure.baseline, measure.lower, measure.n, measure.n_of) == (
            3.2,
            2.1,
            14,
            "schools",
        )
        assert (measure.figure, str(run.uuid) in measure.source) == ("spread", True)
        entry = AuditEntry.objects.get(action="alignment.take_published")
        assert entry.detail["before"]["baseline"] == 62.5
        shown = page(sign_in, "head")
        assert "3.2 points" in shown
        assert reverse("insight:run", args=[run.uuid]) in shown

    def test_a_figure_that_is_withheld_is_not_offered(self, world: World) -> None:
        living.published(world)
        AreaFigure.objects.filter(area__parent=None).update(suppressed=True)
        assert [each.figure for each in queries.published_figures("Reading")] == ["spread"]

    def test_without_an_analysis_nothing_is_taken(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        measure = living.measured(world, reading)
        with pytest.raises(ValidationError, match="No published analysis"):
            actions.take_published(measure, "mean", by=world.cast["minister"], seen=None)
        shown = page(sign_in, "minister", "measure", pk=measure.pk)
        assert "From a published figure" not in shown


class TestThePage:
    def test_need_is_said_with_how_sure_it_is_and_areas_only_to_those_who_may_open_them(
        self, world: World, sign_in: SignIn
    ) -> None:
        living.published(world)
        living.priorities(world)
        officer, head = page(sign_in, "district_officer"), page(sign_in, "head")
        assert (
            "About 70 pupils a year would gain from help between schools (likely 6 to 134)" in head
        )
        assert "about 4 of 14 schools may need it (likely 0 to 7)" in head
        url = reverse("home:area", args=[world.areas["Upper"].pk])
        assert url in officer
        assert url not in head
        assert url not in page(sign_in, "other_district_officer")

    def test_without_an_outcome_it_says_that_no_figures_speak_of_it(
        self, world: World, sign_in: SignIn
    ) -> None:
        living.priorities(world)
        shown = page(sign_in, "head", code="number-sense")
        assert "No outcome of the analyses speaks of this priority" in shown

    def test_practices_are_asked_for_by_the_priority(self, world: World, sign_in: SignIn) -> None:
        living.priorities(world)
        url = reverse("connectedness:practices") + "?priority=early-reading"
        assert url in page(sign_in, "teacher")
        assert sign_in("teacher").get(url).status_code == 200

    def test_it_says_how_it_came_about(self, world: World, sign_in: SignIn) -> None:
        living.priorities(world)
        shown = page(sign_in, "head")
        assert "set by the ministry, without a proposal" in shown
        assert "Minister, Ministry" in shown

    def test_it_asks_few_questions(
        self, world: World, sign_in: SignIn, django_assert_max_num_queries: Any
    ) -> None:
        living.published(world)
        reading, _number = living.priorities(world)
        living.drivers(world, reading)
        for name in ("A", "B", "C", "D"):
            living.measured(world, reading, name=name)
        living.a_sense(world, reading, shared=True)
        for who, most in (("minister", 24), ("head", 24)):
            client = sign_in(who)
            with django_assert_max_num_queries(most):
                client.get(reverse("alignment:priority", args=[reading.code]))
