"""The directory of indicators: what is for improvement never becomes a reason to judge."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from brightspots_web.alignment.models import Priority
from brightspots_web.directory import indicator_actions as actions
from brightspots_web.directory import indicator_queries as queries
from brightspots_web.directory.indicator_actions import Measure
from brightspots_web.directory.models import Indicator
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import living_helpers as living
from tests.web.conftest import SignIn
from tests.web.living_helpers import ANSWER, LEARN
from tests.web.world import World

pytestmark = pytest.mark.django_db
BOOKS = Measure("Books read in a month", LEARN, "books")


def add(world: World, measure: Measure = BOOKS, **more: str) -> Indicator:
    return actions.add(measure, by=world.cast["minister"], **more)


def changed(world: World, indicator: Indicator, **what: str) -> Indicator:
    now = Measure(indicator.name, indicator.purpose, indicator.unit)
    return actions.change(indicator, replace(now, **what), by=world.cast["minister"])


class TestAdding:
    def test_it_gets_a_code_from_its_name_and_is_audited(self, world: World) -> None:
        assert add(world).code == "books-read-in-a-month"
        entry = AuditEntry.objects.get(action="directory.add_indicator")
        assert entry.detail["purpose"] == "improvement"

    def test_pressed_twice_it_is_added_once(self, world: World) -> None:
        assert add(world).pk == add(world).pk

    @pytest.mark.parametrize(
        ("measure", "code", "field"),
        [
            (replace(BOOKS, name="  "), "", "name"),
            (replace(BOOKS, name="books READ in a month", unit="x"), "", "name"),
            (replace(BOOKS, name="x" * 201), "", "name"),
            (replace(BOOKS, name="Other", purpose="both"), "", "purpose"),
            (replace(BOOKS, name="Other"), "books-read-in-a-month", "code"),
            (replace(BOOKS, name="Other"), "No Code", "code"),
            (replace(BOOKS, name="Other"), "add", "code"),
        ],
        ids=["no name", "same name", "long", "no purpose", "same code", "no slug", "an address"],
    )
    def test_what_cannot_be_is_refused(
        self, world: World, measure: Measure, code: str, field: str
    ) -> None:
        add(world)
        with pytest.raises(ValidationError) as refused:
            add(world, measure, code=code)
        assert set(refused.value.message_dict) == {field}

    def test_names_that_make_one_code_get_two(self, world: World) -> None:
        codes = [add(world, replace(BOOKS, name=name)).code for name in ("Add", "Add!")]
        assert codes == ["add-2", "add-3"]  # "add" alone is an address

    @pytest.mark.parametrize("who", ["analyst", "district_officer", "system_leader", "head"])
    def test_nobody_but_the_ministry_adds_or_changes(self, world: World, who: str) -> None:
        with pytest.raises(PermissionDenied):
            actions.add(BOOKS, by=world.cast[who])
        with pytest.raises(PermissionDenied):
            actions.change(add(world), BOOKS, by=world.cast[who])


class TestPurpose:
    def test_one_in_use_for_improvement_never_becomes_one_for_accountability(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        measure = living.measured(world, reading, None)
        with pytest.raises(ValidationError, match="must not become a reason to judge"):
            changed(world, measure.indicator, purpose=ANSWER)
        url = reverse("alignment:indicator", args=[measure.indicator.code])
        sent = {"name": "Pages read aloud", "unit": "points", "purpose": ANSWER}
        response = sign_in("minister").post(url, sent)
        assert response.status_code == 200
        assert "must not become a reason to judge" in response.content.decode()
        measure.indicator.refresh_from_db()
        assert measure.indicator.purpose == LEARN

    def test_neither_does_one_that_a_proposal_names(self, world: World) -> None:
        """Whoever points at it, from whatever part of the platform, holds it to its purpose."""
        indicator = add(world)
        assert not queries.in_use(indicator)
        pointing = {
            relation.related_model._meta.label
            for relation in Indicator._meta.get_fields(include_hidden=True)
            if relation.auto_created and relation.related_model
        }
        assert {"alignment.PriorityIndicator", "alignment.PriorityProposal"} <= pointing
        assert {label for label in pointing if label.startswith("devolution.")}

    def test_one_that_is_not_in_use_may(self, world: World) -> None:
        assert changed(world, add(world), purpose=ANSWER).purpose == ANSWER

    def test_the_other_way_is_free_and_so_is_the_name(self, world: World) -> None:
        reading, _number = living.priorities(world)
        measure = living.measured(world, reading, None, purpose=ANSWER)
        after = changed(world, measure.indicator, purpose=LEARN, name="Pages, read aloud")
        assert (after.purpose, after.name) == (LEARN, "Pages, read aloud")

    def test_a_priority_that_has_ended_holds_it_all_the_same(self, world: World) -> None:
        reading, _number = living.priorities(world)
        measure = living.measured(world, reading, None)
        Priority.objects.update(starts="2025-01-01", ends="2025-12-01")
        with pytest.raises(ValidationError):
            changed(world, measure.indicator, purpose=ANSWER)


class TestChanging:
    def test_what_was_is_in_the_audit_trail(self, world: World) -> None:
        changed(world, add(world), unit="books a month")
        entry = AuditEntry.objects.get(action="directory.change_indicator")
        assert (entry.detail["before"]["unit"], entry.detail["unit"]) == ("books", "books a month")

    def test_who_was_overtaken_keeps_what_was_written(self, world: World, sign_in: SignIn) -> None:
        indicator = add(world)
        seen = queries.mark_of(indicator)
        changed(world, indicator, unit="books a month")
        with pytest.raises(OvertakenError):
            actions.change(
                indicator, replace(BOOKS, unit="x"), by=world.cast["minister"], seen=seen
            )
        url = reverse("alignment:indicator", args=[indicator.code])
        sent = {"name": "My name", "unit": "books", "purpose": LEARN, "seen": seen}
        client = sign_in("minister")
        response = client.post(url, sent)
        shown = response.content.decode()
        assert response.status_code == 409
        assert 'value="My name"' in shown
        assert "books a month" in shown
        indicator.refresh_from_db()
        again = client.post(url, sent | {"seen": queries.mark_of(indicator)})
        assert again.status_code == 302


class TestTheList:
    def test_all_see_what_is_measured_and_what_for_and_the_ministry_may_change_it(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        living.measured(world, reading, None)
        url = reverse("alignment:indicators")
        teacher, minister = (
            sign_in(who).get(url).content.decode() for who in ("teacher", "minister")
        )
        for part in ("Pages read aloud", "for improvement", "nobody is judged by it",
                     reverse("alignment:priority", args=[reading.code])):  # fmt: skip
            assert part in teacher, part
        change = reverse("alignment:indicator", args=["pages-read-aloud"])
        assert change in minister
        assert change not in teacher

    def test_it_is_narrowed_by_words_and_purpose_and_so_is_its_file(
        self, world: World, sign_in: SignIn
    ) -> None:
        add(world)
        add(world, Measure("Days at school", ANSWER, "days"))
        client = sign_in("head")
        for asked in ({"q": "DAYS"}, {"purpose": ANSWER}):
            shown = client.get(reverse("alignment:indicators"), asked).content.decode()
            assert "Days at school" in shown
            assert "Books read in a month" not in shown
            file = client.get(reverse("alignment:indicators_export", args=["csv"]), asked)
            assert b"Books read" not in b"".join(file)
        nothing = client.get(reverse("alignment:indicators"), {"q": "zzz"}).content.decode()
        assert "No indicator fits" in nothing

    def test_it_asks_few_questions_however_long_it_is(
        self, world: World, sign_in: SignIn, django_assert_max_num_queries: Any
    ) -> None:
        reading, _number = living.priorities(world)
        for n in range(40):
            living.measured(world, reading, None, name=f"Indicator {n}")
        client = sign_in("minister")
        with django_assert_max_num_queries(9):
            client.get(reverse("alignment:indicators"))
