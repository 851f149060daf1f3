"""The pages of an import, from upload to undo, and what happens to files nobody would make."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from brightspots_web.directory.models import Appointment, School
from brightspots_web.imports import actions, queries
from brightspots_web.imports.models import Batch, Mapping
from brightspots_web.shared.models import Job
from tests.web.conftest import SignIn
from tests.web.import_helpers import (
    RESULTS,
    RESULTS_MAPPING,
    SCHOOLS,
    SCHOOLS_MAPPING,
    bring_in,
    check,
    files,
    post_file,
    register,
    work,
)
from tests.web.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_FOLDER = tmp_path / "data"
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return tmp_path


@pytest.fixture
def client(sign_in: SignIn) -> Client:
    return sign_in("analyst")


@pytest.fixture
def analyst(world: World) -> Appointment:
    return world.cast["analyst"]


def do_jobs() -> None:
    for job in Job.objects.filter(status=Job.Status.QUEUED):
        work(job)


MAPPED = {
    "use_0": "code",
    "use_1": "name",
    "use_2": "area_path",
    "name_2": "1",
    "use_3": "area_path",
    "name_3": "2",
    "use_4": "roll",
    "match": "code",
    "unmatched": "refuse",
    "save_as": "Our list",
}


def test_a_file_goes_from_upload_to_the_register_and_back_through_the_pages(
    client: Client,
) -> None:
    before = register()
    response = post_file(client, SCHOOLS.encode(), name="schools 2022.csv")
    batch = Batch.objects.get()
    assert response["Location"] == reverse("imports:mapping", args=[batch.pk])
    page = client.get(response["Location"]).content.decode()
    assert "Ash" in page
    assert '<option value="code" selected>' in page  # suggested from the column's name

    response = client.post(reverse("imports:mapping", args=[batch.pk]), MAPPED)
    assert response["Location"] == reverse("imports:batch", args=[batch.pk])
    waiting = client.get(response["Location"])
    assert waiting["Refresh"] == "2"
    do_jobs()
    page = client.get(reverse("imports:batch", args=[batch.pk])).content.decode()
    assert "Import it?" in page
    assert register() == before  # a dry run writes nothing

    client.post(reverse("imports:confirm", args=[batch.pk]))
    do_jobs()
    assert School.objects.get(code="001").roll == 120
    assert (
        "Undo this import" in client.get(reverse("imports:batch", args=[batch.pk])).content.decode()
    )
    assert "schools 2022.csv" in client.get(reverse("imports:batches")).content.decode()

    client.post(reverse("imports:undo", args=[batch.pk]))
    do_jobs()
    assert register() == before


def test_a_saved_mapping_checks_the_next_file_at_once(client: Client) -> None:
    post_file(client, SCHOOLS.encode())
    first = Batch.objects.get()
    client.post(reverse("imports:mapping", args=[first.pk]), MAPPED)
    assert Mapping.objects.get().name == "Our list"

    post_file(client, SCHOOLS.replace("120", "121").encode())
    second = Batch.objects.first()
    assert second is not None
    assert second != first
    assert "Our list" in client.get(reverse("imports:mapping", args=[second.pk])).content.decode()
    client.post(reverse("imports:use_saved", args=[second.pk]), {"saved": "Our list"})
    do_jobs()
    second.refresh_from_db()
    assert second.status == Batch.Status.CHECKED
    assert second.mapping_name == "Our list"
    adjusted = client.post(
        reverse("imports:use_saved", args=[second.pk]), {"saved": "Our list", "adjust": "1"}
    )
    assert adjusted["Location"].endswith("?saved=Our+list")
    assert client.get(adjusted["Location"]).status_code == 200


def test_a_mapping_that_lacks_something_says_what(client: Client) -> None:
    post_file(client, RESULTS.encode(), kind="school_results")
    batch = Batch.objects.get()
    response = client.post(
        reverse("imports:mapping", args=[batch.pk]),
        {"use_0": "school", "use_1": "mean", "match": "code", "unmatched": "refuse"},
    )
    assert response.status_code == 200
    assert "Still to be mapped: Year, Subject." in response.content.decode()


def test_grades_and_further_codes_are_given_as_lines(client: Client, analyst: Appointment) -> None:
    post_file(client, b"school,a,e,w\nN1,3,1,X\n", kind="school_results")
    batch = Batch.objects.get()
    data = {
        "use_0": "school",
        "use_1": "grade",
        "name_1": "A",
        "use_2": "grade",
        "name_2": "E",
        "use_3": "mean",
        "year": "2022",
        "subject": "PSLE",
        "match": "code",
        "unmatched": "refuse",
        "grade_bands": "A 241 300\nE: 0 60",
        "non_values": "X = withheld",
    }
    response = client.post(reverse("imports:mapping", args=[batch.pk]), data)
    assert response.status_code == 302
    do_jobs()
    batch.refresh_from_db()
    assert (batch.counts["new"], batch.counts["refused"]) == (1, 0)
    assert batch.mapping["grade_bands"] == [["E", 0.0, 60.0], ["A", 241.0, 300.0]]
    again = client.get(reverse("imports:mapping", args=[batch.pk])).content.decode()
    assert "A 241 300" in again


def test_refused_rows_are_left_out_only_by_a_visible_choice(
    client: Client, analyst: Appointment
) -> None:
    batch = check(SCHOOLS + "003,Cedar,North,Upper,many\n", SCHOOLS_MAPPING, analyst)
    page = reverse("imports:batch", args=[batch.pk])
    assert "Leave out the 1 refused rows" in client.get(page).content.decode()
    response = client.post(reverse("imports:confirm", args=[batch.pk]), follow=True)
    assert "1 rows are refused" in response.content.decode()
    client.post(reverse("imports:confirm", args=[batch.pk]), {"leave_out_refused": "on"})
    do_jobs()
    batch.refresh_from_db()
    assert (batch.status, batch.left_out) == (Batch.Status.CONFIRMED, 1)
    assert "Refused rows left out" in client.get(page).content.decode()


def test_the_report_shows_the_first_problems_and_the_download_has_them_all(
    client: Client, analyst: Appointment
) -> None:
    bad = "".join(f"{i:04},School,North,Upper,=1+{i}\n" for i in range(250))
    batch = check("code,name,county,district,roll\n" + bad, SCHOOLS_MAPPING, analyst)
    page = client.get(reverse("imports:batch", args=[batch.pk])).content.decode()
    assert "The first 200 problems" in page
    export = client.get(reverse("imports:problems_export", args=[batch.pk, "csv"]))
    lines = b"".join(export.streaming_content).decode().splitlines()  # type: ignore[attr-defined] # a streaming response
    assert sum("not a number" in line for line in lines) == 250
    assert ",'=1+7," in "\n".join(lines)  # a spreadsheet will not run it
    workbook = client.get(reverse("imports:problems_export", args=[batch.pk, "xlsx"]))
    assert workbook.content.startswith(b"PK")


def test_the_very_same_file_is_recognised_before_it_is_checked(
    client: Client, analyst: Appointment
) -> None:
    bring_in(SCHOOLS, SCHOOLS_MAPPING, analyst)
    post_file(client, SCHOOLS.encode())
    newest = Batch.objects.first()
    assert newest is not None
    page = client.get(reverse("imports:batch", args=[newest.pk])).content.decode()
    assert "This very file is live already" in page


def test_reading_again_takes_another_header_row(client: Client) -> None:
    post_file(client, b"Report of 2022,,\n001,Ash,North\nkey,title,place\n002,Birch,North\n")
    batch = Batch.objects.get()
    client.post(reverse("imports:read_again", args=[batch.pk]), {"header_row": "3"})
    batch.refresh_from_db()
    assert batch.header["columns"] == ["key", "title", "place"]
    assert batch.mapping == {"header_row": 3}


def test_boundaries_are_mapped_by_property_and_level(client: Client) -> None:
    square = '{"type":"Polygon","coordinates":[[[30,0],[31,0],[31,1],[30,1],[30,0]]]}'
    feature = f'{{"type":"Feature","properties":{{"county":"North"}},"geometry":{square}}}'
    content = f'{{"type":"FeatureCollection","features":[{feature}]}}'.encode()
    post_file(client, content, kind="boundaries", name="counties.geojson")
    batch = Batch.objects.get()
    page = client.get(reverse("imports:mapping", args=[batch.pk]))
    assert "North, South" in page.content.decode()
    data = {"property": "county", "level": "1", "unmatched": "refuse"}
    client.post(reverse("imports:mapping", args=[batch.pk]), data)
    do_jobs()
    batch.refresh_from_db()
    assert (batch.status, batch.counts["new"]) == (Batch.Status.CHECKED, 1)


def test_the_history_is_read_in_few_queries_however_long_it_is(
    client: Client, analyst: Appointment, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        check(RESULTS, RESULTS_MAPPING, analyst)
    with django_assert_max_num_queries(12):
        client.get(reverse("imports:batches"))


def test_a_large_upload_is_cut_off_at_the_limit(client: Client, settings: Any) -> None:
    settings.UPLOAD_LIMIT = 1000
    response = post_file(client, b"a,b\n" + b"1,2\n" * 1000)
    assert response.status_code == 200
    assert "The file is larger than" in response.content.decode()
    assert "This field is required" not in response.content.decode()
    assert not Batch.objects.exists()


def test_only_whoever_may_import_sees_imports(world: World) -> None:
    assert not queries.batches_visible_to(world.cast["minister"]).exists()
    assert not queries.batches_visible_to(None).exists()


# Files nobody would make


def fuzzed(seed: int) -> tuple[str, bytes]:
    """A file that is nearly right: the damage that real files have, one or two at a time."""
    draw = random.Random(seed)  # noqa: S311 - not a secret
    kind = draw.choice(["schools", "school_results", "pupil_results", "boundaries"])
    codes = ["007", "008"] if kind == "schools" else ["N1", "N2", "L1", "E3"]
    rows = [
        ["code", "name", "county", "district", "score"],
        *([code, f"School {code}", "North", "Upper", f"10{code[-1]}"] for code in codes),
    ]
    for _ in range(draw.randint(0, 3)):
        _damage(draw, rows)
    delimiter = draw.choice([",", ";", "\t", "|"])
    text = draw.choice(["\n", "\r\n", "\r"]).join(delimiter.join(row) for row in rows)
    if kind == "boundaries":
        ring = [[30, 0], [31, 0], [draw.choice([31, 30, 400]), 1], [30, 0]]
        geometry = {"type": draw.choice(["Polygon", "MultiPolygon"]), "coordinates": [ring]}
        properties = {"county": draw.choice(["North", "north ", "Atlantis", None])}
        outline = json.dumps(
            {"features": [{"properties": properties, "geometry": geometry}] * draw.randint(1, 2)}
        )
        text = draw.choice(
            [text, "{", "[]", '{"features":[1]}', '{"features":[{"geometry":{"type":"Polygon"}}]}']
            + [outline] * 5
        )
    data = text.encode(draw.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"]), "replace")
    if draw.random() < 0.3:
        at = draw.randrange(len(data) + 1)
        data = data[:at] + draw.randbytes(draw.randint(0, 30)) + data[at + draw.randint(0, 9) :]
    return kind, data


def _damage(draw: random.Random, rows: list[list[str]]) -> None:
    row = draw.choice(rows)
    if not row:
        row.append("")
    match draw.randint(0, 9):
        case 0:
            row[draw.randrange(len(row))] = draw.choice(
                ["", " ", "NA", "=1+1", "@x", "-5", "1e999"]
            )
        case 1:
            row.append("more")
        case 2:
            row.pop()
        case 3:
            rows.append(list(row))
        case 4:
            row[0] = '"unclosed'
        case 5:
            row[-1] = draw.choice(["12,5", "1.234,5", "12 %", "9" * 400, "NaN", "inf"])
        case 6:
            row[0] = "x" * draw.choice([201, 5000])
        case 7:
            rows.insert(0, ["A title", "", ""])
        case 8:
            row[-1] = draw.choice([" > ", "a > b > c", "\u202e", "'; DROP TABLE x; --"])
        case _:
            rows[:] = rows[: draw.randint(0, len(rows))] or [[""]]


@pytest.mark.parametrize("block", range(10))
def test_no_file_brings_the_pages_down_or_is_half_imported(
    client: Client, analyst: Appointment, own_folders: Path, block: int
) -> None:
    for seed in range(30 * block, 30 * block + 30):
        kind, data = fuzzed(seed)
        before = register()
        response = post_file(client, data, kind=kind, name=f"f{seed}.csv")
        assert response.status_code in {200, 302}, seed
        batch = Batch.objects.first()
        if response.status_code == 200 or batch is None:
            assert register() == before
            continue
        _go_on(client, batch, seed)
        batch.refresh_from_db()
        confirmed = batch.status == Batch.Status.CONFIRMED
        if not (confirmed and batch.changes_register):
            assert register() == before, seed
        else:
            assert School.objects.exclude(name="").count() == School.objects.count()
            work(actions.undo(batch, by=analyst))
            assert register() == before, seed
        if batch.status == Batch.Status.REFUSED:
            assert batch.refusal, seed
        explained = {each["row"] for each in queries.problems(batch) if each["severity"] == "error"}
        assert len(explained - {None}) == batch.counts.get("refused", 0), seed
        assert not [name for name in files(own_folders) if name.endswith(".part")]


def _go_on(client: Client, batch: Batch, seed: int) -> None:
    """Map, check and confirm as far as the file allows, through the pages."""
    page = reverse("imports:batch", args=[batch.pk])
    draw = random.Random(seed)  # noqa: S311 - not a secret
    uses = {
        "schools": ["code", "name", "area_path", "area_path", "roll"],
        "school_results": ["school", "context", "", "", "mean"],
        "pupil_results": ["school", "pupil", "", "", "score"],
        "boundaries": [],
    }[batch.kind]
    data = {f"use_{at}": use for at, use in enumerate(uses)} | {
        "match": draw.choice(["code", "code", "name and area"]),
        "unmatched": draw.choice(["refuse", "skip"]),
        "year": draw.choice(["2022", "2022", "never"]),
        "subject": "Reading",
        "property": "county",
        "level": "1",
    }
    response = client.post(reverse("imports:mapping", args=[batch.pk]), data)
    assert response.status_code in {200, 302}, seed
    do_jobs()
    for job in Job.objects.filter(parameters__batch=batch.pk):
        assert job.status == Job.Status.DONE, (seed, job.problem)
    assert client.get(page).status_code == 200, seed
    client.post(reverse("imports:confirm", args=[batch.pk]), {"leave_out_refused": "on"})
    do_jobs()
    for job in Job.objects.filter(parameters__batch=batch.pk):
        assert job.status == Job.Status.DONE, (seed, job.problem)
    assert client.get(page).status_code == 200, seed
    assert client.get(reverse("imports:mapping", args=[batch.pk])).status_code in {200, 302}
