"""What promises are held to: published values, warnings, evidence; pages and files."""

from datetime import date
from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from brightspots_web.accountability import pledge_actions as actions
from brightspots_web.accountability import pledge_check_in_actions as check_ins
from brightspots_web.accountability import pledge_list_pages as lists
from brightspots_web.accountability import pledge_pages as pages
from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_value_queries as values
from brightspots_web.accountability import pledge_words as words
from brightspots_web.accountability.pledge_models import Pledge, PledgeEvidence
from brightspots_web.devolution import note_share_actions
from brightspots_web.insight.models import Estimate, Run
from tests.web import note_helpers
from tests.web import pledge_helpers as helpers
from tests.web.bright_spot_helpers import a_run
from tests.web.conftest import SignIn
from tests.web.pledge_helpers import in_days, today
from tests.web.world import World


def warned(pledge: Pledge, **sees: bool) -> str:
    return " ".join(words.warnings(pledge, **sees))


def correct(world: World, run: Run, by: float = 0.2) -> Run:
    """A later analysis of the same years with other values; the first is taken back."""
    later = a_run(world, input_hash="second", minutes=5)
    Estimate.objects.filter(run=later).update(estimate=by, lower=by - 0.1, upper=by + 0.1)
    Run.objects.filter(pk=run.pk).update(withdrawn_at=timezone.now())
    return later


def test_a_baseline_is_drawn_and_frozen_and_a_correction_stands_beside_it(world: World) -> None:
    run = a_run(world)
    pledge = helpers.vowed(world, target=9.0)
    assert pledge.baseline | {"source": ""} == {
        "value": 5.0, "low": pytest.approx(3.0), "high": pytest.approx(7.0), "n": 180,
        "on": timezone.localdate().isoformat(), "run": str(run.uuid), "source": "", "digits": 1,
        "subject": "Reading", "years": [2021, 2022, 2023],
    }  # fmt: skip
    drawn = check_ins.draw_value(pledge, by=world.cast["head"])
    assert check_ins.draw_value(pledge, by=world.cast["head"]) == drawn
    assert drawn.known == pledge.baseline
    later = correct(world, run)
    pledge = helpers.fresh(pledge)
    assert pledge.baseline["run"] == str(run.uuid)  # what was known stays
    now = values.published(pledge.set.school, pledge.priority, pledge.indicator)
    assert values.corrected(pledge.baseline, now) == now
    assert (now["run"], now["value"]) == (str(later.uuid), 2.0)
    said = pages.page(pledge, world.cast["partner_head"])["values"]
    assert len(said["corrected"]) == 2
    assert "Baseline was +5.0 points" in said["corrected"][0]
    assert "corrected since: +2.0 points" in said["corrected"][0]
    assert check_ins.draw_value(pledge, by=world.cast["head"]) != drawn
    # News of more years is no correction; without a run nothing is drawn.
    news = now | {"run": "another", "years": [2021, 2022, 2023, 2024], "value": 8.0}
    assert values.corrected(now, news) == {}
    assert values.corrected({}, now) == {}
    Run.objects.update(withdrawn_at=timezone.now())
    assert values.published(pledge.set.school, pledge.priority, pledge.indicator) == {}
    with pytest.raises(ValidationError, match="No value is published"):
        check_ins.draw_value(pledge, by=world.cast["head"])
    gone = pages.page(pledge, world.cast["head"])["values"]["corrected"]
    assert "was taken back" in gone[0]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (4.0, "reached already"),
        (5.0, "reached already"),
        (6.5, "within the noise"),
        (7.5, ""),
    ],
)
def test_a_target_is_warned_of_and_never_refused(world: World, target: float, said: str) -> None:
    a_run(world)
    pledge = helpers.vowed(world, target=target)
    found = warned(pledge)
    assert (said in found) if said else not found
    assert pledge.state == "vowed"


def test_counting_things_and_having_no_published_value_are_warned_of(world: World) -> None:
    a_run(world, small=("N2",))
    books = helpers.vowed(world, indicator=helpers.indicator(world, "Books read in a month"))
    assert "counts things instead of learning" in warned(books)
    assert "No value of this measure is published for School N2" in warned(books)
    few = helpers.vowed(world)  # seven pupils: withheld from the promise, and from its school
    assert few.baseline == {}
    assert "counts things" not in warned(few)
    assert "No value of this measure is published" in warned(few)


def test_the_value_of_another_school_is_told_to_those_who_may_open_its_page(world: World) -> None:
    a_run(world)
    pledge = helpers.vowed(world, "other", audience="system", target=1.0)
    assert pledge.baseline["value"] == 0.0
    shown = pages.page(pledge, world.cast["head"])
    assert "0.0 points" in str(shown["facts"])
    assert "within the noise" in " ".join(shown["warnings"])
    stranger = world.cast["other_head"]
    hidden = pages.page(pledge, stranger)
    assert hidden["values"] == {}
    assert hidden["warnings"] == []  # they would tell between which numbers it lies
    assert "may open the page of School N3" in str(hidden["facts"])
    for by, value in ((world.cast["head"], 0.0), (stranger, None)):
        sets = list(queries.search(by, queries.Search()))
        (line,) = lists.with_values(by, lists.rows(by, sets))
        assert line.get("baseline") == value
        assert line["complete"] == "no"


# Evidence


def picture(**more: object) -> bytes:
    out = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "SECRET PLACE"
    Image.new("RGB", (300, 200), "#21409a").save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_files_are_kept_as_they_should_be_and_refused_in_words(world: World) -> None:
    pledge = helpers.witnessed(world)
    content = picture()
    assert b"SECRET PLACE" in content
    shot = helpers.evidence(world, pledge, kind="file", file_name="C:/a/wall.png", content=content)
    kept = PledgeEvidence.objects.get(pk=shot.pk)
    assert (kept.file_name, kept.file_kind) == ("wall.jpg", "image/jpeg")
    assert b"SECRET PLACE" not in bytes(kept.file or b"")
    pdf = helpers.evidence(
        world, pledge, by="partner_head", kind="file", file_name="plan.pdf", content=b"%PDF-1.7 x"
    )
    assert pdf.file_kind == "application/pdf"
    for content, said in (
        (b"", "Choose a file"),
        (b"MZ a program", "no photograph"),
        (b"<html>", "no photograph"),
        (b"%PDF-" + b"x" * check_ins.LARGEST_FILE, "larger than 5 MB"),
    ):
        with pytest.raises(ValidationError, match=said):
            helpers.evidence(world, pledge, kind="file", file_name="x.pdf", content=content)
    with pytest.raises(ValidationError):
        helpers.evidence(world, pledge, kind="value")  # drawn, never typed
    with pytest.raises(ValidationError):
        helpers.evidence(world, pledge, on=in_days(1))
    for who in ("teacher", "system_leader", "other_head", "minister"):
        with pytest.raises(PermissionDenied):
            helpers.evidence(world, pledge, by=who)
    with pytest.raises(PermissionDenied):
        check_ins.remove(shot, by=world.cast["partner_head"])
    check_ins.remove(pdf, by=world.cast["partner_head"])
    check_ins.remove(shot, by=world.cast["head"])
    check_ins.remove(shot, by=world.cast["head"])  # two tabs
    assert not PledgeEvidence.objects.exists()


def test_a_small_data_note_is_shown_once_it_is_shared(world: World) -> None:
    pledge = helpers.witnessed(world)
    note = note_helpers.a_note(world, "head")
    with pytest.raises(ValidationError, match="has shared"):
        helpers.evidence(world, pledge, kind="note", note=note)
    note = note_share_actions.share(note, by=world.cast["head"], seen=None)
    first = helpers.evidence(world, pledge, kind="note", note=note)
    assert helpers.evidence(world, pledge, kind="note", note=note) == first
    (row,) = pages.page(pledge, world.cast["partner_head"])["evidence"]
    assert row["note_url"]
    actions.tell_wider(pledge, "system", by=world.cast["head"], seen=None)
    (row,) = pages.page(helpers.fresh(pledge), world.cast["minister"])["evidence"]
    assert row["note_url"] == ""  # a note stays in the partnership


# Pages


def test_pages_forms_and_files(world: World, sign_in: SignIn) -> None:
    a_run(world)
    pledge = helpers.drafted(world, target=6.0)
    client = sign_in("head")
    page = client.get(pages.url(pledge)).content.decode()
    assert "Before you promise it" in page
    assert "within the noise" in page
    form = written(client, pledge)
    named = form | {"promise": "The pupil Amina reads by June."}
    answer = client.post(reverse("accountability:pledge_change", args=[pledge.pk]), named)
    assert "I have looked again: no pupil is named" in answer.content.decode()
    stale = form | {"seen": "77", "promise": "Typed by the second of two."}
    answer = client.post(reverse("accountability:pledge_change", args=[pledge.pk]), stale)
    assert answer.status_code == 409
    assert "Typed by the second of two." in answer.content.decode()
    client.post(reverse("accountability:pledge_vow", args=[pledge.pk]), {"seen": pledge.version})
    assert helpers.fresh(pledge).state == "vowed"
    overtaken = {"seen": "1", "why": "Typed too late."}
    answer = client.post(reverse("accountability:pledge_withdraw", args=[pledge.pk]), overtaken)
    assert answer.status_code == 409
    assert "Typed too late." in answer.content.decode()
    helpers.asked(world, helpers.fresh(pledge))
    broken = {"kind": "file", "words": "A wall.", "on": today().isoformat()}
    show = reverse("accountability:pledge_evidence", args=[pledge.pk])
    upload = BytesIO(b"not a picture")
    upload.name = "wall.jpg"
    answer = client.post(show, broken | {"file": upload})
    assert answer.status_code == 200
    assert "no photograph that can be read here" in answer.content.decode()
    upload = BytesIO(picture())
    upload.name = "wall.jpg"
    assert client.post(show, broken | {"file": upload}).status_code == 302
    kept = PledgeEvidence.objects.get()
    file = client.get(reverse("accountability:pledge_evidence_file", args=[kept.pk]))
    assert file["Content-Type"] == "image/jpeg"
    assert file["X-Content-Type-Options"] == "nosniff"
    for who, said in (
        ("partner_head", "You are asked as a witness"),
        ("teacher", "School N2 promised this to Upper partnership"),
    ):
        assert said in sign_in(who).get(pages.url(pledge)).content.decode()
    listed = sign_in("partner_head").get(reverse("accountability:pledges")).content.decode()
    assert "Incomplete: the second half is not promised yet" in listed
    assert "You are asked to stand by a promise" in listed
    table = sign_in("head").get(reverse("accountability:pledges_export", args=["csv"]))
    text = b"".join(table.streaming_content).decode()  # type: ignore[attr-defined] # streamed
    assert "More of our pupils read" in text
    assert ",5.0," in text
    assert sign_in("head").get(reverse("accountability:pledges"), {"cycle": "x"}).status_code == 200
    assert sign_in("head").get("/pledges/new/third/").status_code == 404


def written(client: Client, pledge: Pledge) -> dict[str, str]:
    page = client.get(reverse("accountability:pledge_change", args=[pledge.pk]))
    found = page.context["form"].initial
    return {name: str(value) for name, value in found.items() if value is not None}


def test_cards_of_front_pages_ask_little_of_the_database(
    world: World, django_assert_max_num_queries: object
) -> None:
    head, partner = world.cast["head"], world.cast["partner_head"]
    pledge = helpers.asked(world, helpers.vowed(world, due=in_days(3)))
    Pledge.objects.filter(pk=pledge.pk).update(due=date(2020, 1, 1))
    for by in (head, partner, world.cast["teacher"], world.cast["minister"]):
        with django_assert_max_num_queries(2):  # type: ignore[operator] # a fixture of the plugin
            items = pages.front_items(by)
        with django_assert_max_num_queries(3):  # type: ignore[operator] # a fixture of the plugin
            card = pages.home_card(by)
        assert card is not None
        assert bool(items) == (by in (head, partner))
    assert "The day of your promise has come" in pages.front_items(head)[0]["text"]
