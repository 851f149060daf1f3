"""What a priority means in a partnership: who writes it, who reads it, and who must not."""

from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection  # noqa: F401 - the condition of a skip
from django.urls import reverse

from brightspots_web.alignment import living_history_actions as history
from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment import living_sense_actions as actions
from brightspots_web.alignment.models import LocalSense, Priority
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.directory.models import Membership, Partnership
from brightspots_web.insight.models import PartnershipFigure
from brightspots_web.notices.models import Notice
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.overtaken import OvertakenError
from tests.web import living_helpers as living
from tests.web.conftest import SignIn
from tests.web.permission_matrix import APPOINTED
from tests.web.test_races import at_once
from tests.web.world import World

pytestmark = pytest.mark.django_db
MEMBERS = {"system_leader", "head", "partner_head", "teacher"}


def url(name: str = "sense", **more: str) -> str:
    return reverse(f"alignment:{name}", kwargs={"code": "early-reading", **more})


def page(sign_in: SignIn, who: str) -> str:
    return sign_in(who).get(url(partnership="P-UPPER")).content.decode()


class TestWriting:
    @pytest.mark.parametrize("who", ["system_leader", "head", "partner_head"])
    def test_the_leader_and_the_heads_write_it(self, world: World, who: str) -> None:
        reading, _number = living.priorities(world)
        sense = living.a_sense(world, reading, who=who)
        assert (sense.words, sense.version, sense.shared) == (living.WORDS, 1, False)

    @pytest.mark.parametrize(
        "who", ["minister", "analyst", "district_officer", "teacher", "other_system_leader",
                "other_head"],
    )  # fmt: skip
    def test_nobody_else_does(self, world: World, who: str) -> None:
        reading, _number = living.priorities(world)
        upper = world.partnerships["Upper"]
        with pytest.raises(PermissionDenied):
            actions.write_sense(reading, upper, "Ours", by=world.cast[who], seen=None)
        assert not LocalSense.objects.exists()

    def test_the_others_of_the_partnership_hear_of_it_without_its_words(self, world: World) -> None:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading)
        told = Notice.objects.filter(kind=actions.KIND)
        people = {world.cast[who].person_id for who in ("head", "partner_head")}
        assert set(told.values_list("person", flat=True)) == people
        assert all(living.WORDS not in str(each.data) for each in told)

    def test_the_audit_trail_knows_that_and_not_what(self, world: World) -> None:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading, words="Half of our classes have no books.")
        entry = AuditEntry.objects.get(action="alignment.write_sense")
        assert "books" not in str(entry.detail)
        assert (entry.detail["version"], entry.detail["shared"]) == (1, False)

    def test_pressed_twice_it_is_written_once(self, world: World) -> None:
        reading, _number = living.priorities(world)
        first, second = (living.a_sense(world, reading) for _time in range(2))
        assert (first.pk, second.version) == (second.pk, 1)
        assert AuditEntry.objects.filter(action="alignment.write_sense").count() == 1

    def test_who_was_overtaken_keeps_the_words_and_reads_the_others(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading, who="head", words="What the head wrote.")
        client = sign_in("system_leader")
        response = client.post(url(partnership="P-UPPER"), {"words": "Mine.", "seen": "0"})
        shown = response.content.decode()
        assert response.status_code == 409
        assert "Mine." in shown
        assert "What the head wrote." in shown
        again = client.post(url(partnership="P-UPPER"), {"words": "Mine.", "seen": "1"})
        assert again.status_code == 302
        assert LocalSense.objects.get().words == "Mine."

    @pytest.mark.parametrize(
        ("words", "problem"), [(" \n ", "few sentences"), ("x" * 2001, "2000")]
    )
    def test_nothing_and_too_much_are_refused(self, world: World, words: str, problem: str) -> None:
        reading, _number = living.priorities(world)
        with pytest.raises(ValidationError, match=problem):
            living.a_sense(world, reading, words=words)

    def test_what_looks_like_a_pupils_name_is_asked_about(
        self, world: World, sign_in: SignIn
    ) -> None:
        living.priorities(world)
        client = sign_in("head")
        sent = {"words": "We began with Amina Were.", "seen": "0"}
        shown = client.post(url(partnership="P-UPPER"), sent).content.decode()
        assert "looks like the name of a pupil" in shown
        assert "I looked again" in shown
        assert not LocalSense.objects.exists()
        client.post(url(partnership="P-UPPER"), sent | {"names_no_pupil": "on"})
        assert LocalSense.objects.exists()

    def test_what_ended_stays_as_it_was(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading)
        Priority.objects.filter(pk=reading.pk).update(starts="2025-01-01", ends=living.today())
        with pytest.raises(ValidationError, match="has ended"):
            living.a_sense(world, reading, words="Anew.")
        shown = page(sign_in, "head")
        assert living.WORDS in shown
        assert "<textarea" not in shown


class TestReading:
    @pytest.mark.parametrize("who", sorted(APPOINTED))
    @pytest.mark.parametrize("shared", [False, True])
    def test_the_words_are_nowhere_for_those_who_may_not_read_them(
        self, world: World, sign_in: SignIn, who: str, shared: bool
    ) -> None:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading, shared=shared)
        reads = who in MEMBERS or (shared and who in {"minister", "district_officer"})
        client = sign_in(who)
        places = [
            url("priority"),
            url("senses"),
            url(partnership="P-UPPER"),
            reverse("connectedness:partnership", args=["P-UPPER"]),
        ]
        found = [living.WORDS in client.get(place).content.decode() for place in places]
        sent = b"".join(client.get(url("senses_export", fmt="csv"))).decode()
        assert found == [reads] * 4
        assert (living.WORDS in sent) is reads

    def test_that_there_is_one_is_not_told_where_it_may_not_be_read(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        before = sign_in("minister").get(url(partnership="P-UPPER")).status_code
        living.a_sense(world, reading)
        assert before == sign_in("minister").get(url(partnership="P-UPPER")).status_code == 404

    def test_how_many_have_written_is_counted_for_all(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading)
        said = "1 of 3 partnerships have written what it means to them."
        assert said in sign_in("other_head").get(url("priority")).content.decode()

    def test_of_two_partnerships_nothing_is_counted(self, world: World) -> None:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading)
        assert queries.said([reading], world.areas["North"]) == {}
        Membership.objects.filter(partnership=world.partnerships["East"]).delete()
        Partnership.objects.filter(code="P-EAST").update(closed="2025-01-01")
        assert queries.said([reading]) == {}

    def test_who_left_the_partnership_reads_it_no_longer(
        self, world: World, sign_in: SignIn
    ) -> None:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading)
        Membership.objects.filter(school=world.schools["N2"]).update(ends=living.today())
        assert living.WORDS not in sign_in("head").get(url("priority")).content.decode()
        assert sign_in("head").get(url(partnership="P-UPPER")).status_code == 404

    def test_the_list_is_narrowed_to_an_area_and_pages(self, world: World, sign_in: SignIn) -> None:
        reading, _number = living.priorities(world)
        living.a_sense(world, reading, shared=True)
        living.a_sense(world, reading, who="other_system_leader", words="In the east.", shared=True)
        client = sign_in("minister")
        narrowed = client.get(url("senses"), {"area": "South"}).content.decode()
        assert "In the east." in narrowed
        assert living.WORDS not in narrowed
        unknown = client.get(url("senses"), {"area": "Atlantis"}).content.decode()
        assert "no such area" in unknown
        assert "In the east." not in unknown


class TestBesideItsData:
    def test_the_spread_and_the_schools_stand_beside_it_with_how_sure_they_are(
        self, world: World, sign_in: SignIn
    ) -> None:
        run = living.published(world)
        living.priorities(world)
        PartnershipFigure.objects.create(
            run=run, partnership=world.partnerships["Upper"], subject="Reading", n_schools=6,
            n_pupils=360, spread=0.3, spread_lower=0.1, spread_upper=0.6,
        )  # fmt: skip
        shown = page(sign_in, "system_leader")
        assert "Upper partnership is 3.0 points, chance taken out" in shown
        assert "between 1.0 and 6.0" in shown
        assert "6 schools" in shown
        assert "Our schools beside what is expected: Reading" in shown
        assert reverse("insight:variability_partnership", args=["P-UPPER"]) in shown

    def test_a_school_with_too_few_pupils_has_no_figure_there(
        self, world: World, sign_in: SignIn
    ) -> None:
        from tests.web.bright_spot_helpers import a_run

        a_run(world, small=("N3",))
        living.priorities(world)
        shown = page(sign_in, "head")
        rows = shown.split("<tbody>")[1].split("</tbody>")[0]
        row = next(each for each in rows.split("<tr>") if "School N3" in each)
        assert "not known" in row

    def test_without_figures_it_says_so(self, world: World, sign_in: SignIn) -> None:
        living.priorities(world)
        assert "No analysis is published yet" in page(sign_in, "head")
        number = sign_in("head").get(reverse("alignment:sense", args=["number-sense", "P-UPPER"]))
        assert "your own eyes do" in number.content.decode()


def test_a_day_before_this_installation_is_for_the_shell_alone(world: World) -> None:
    reading, _number = living.priorities(world)
    sense = living.a_sense(world, reading)
    Priority.objects.filter(pk=reading.pk).update(starts="2025-01-01")
    sense.priority.refresh_from_db()
    earlier = sense.at.replace(year=2025, month=6)
    with pytest.raises(PermissionDenied):
        history.date_back_sense(sense, earlier, by=world.cast["minister"])
    assert history.date_back_sense(sense, earlier, by=command_line_operator()).at == earlier
    with pytest.raises(ValidationError):
        history.date_back_sense(sense, sense.at.replace(year=2024), by=command_line_operator())


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "connection.vendor == 'sqlite'", reason="one writer at a time: SQLite locks the whole file"
)
def test_two_who_write_at_once_do_not_overwrite_each_other(world: World) -> None:
    reading, _number = living.priorities(world)
    upper = world.partnerships["Upper"]
    found = at_once(
        *(
            partial(actions.write_sense, reading, upper, who, by=world.cast[who], seen=0)
            for who in ("system_leader", "head")
        )
    )
    assert sum(isinstance(each, OvertakenError) for each in found) == 1
    assert LocalSense.objects.count() == 1


def test_the_page_asks_few_questions(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    living.published(world)
    reading, _number = living.priorities(world)
    living.a_sense(world, reading)
    for who in ("system_leader", "head"):
        client = sign_in(who)
        with django_assert_max_num_queries(24):
            client.get(url(partnership="P-UPPER"))
