"""Files made by hand, and the way of a file through the actions."""

import io
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.imports import actions
from brightspots_web.imports.models import Batch
from brightspots_web.shared import jobs
from brightspots_web.shared.models import Job

SCHOOLS = "code,name,county,district,roll\n001,Ash,North,Upper,120\n002,Birch,South,East,80\n"
SCHOOLS_MAPPING: dict[str, Any] = {
    "name": "",
    "kind": "schools",
    "columns": {
        "code": "code",
        "name": "name",
        "area_path": ["county", "district"],
        "roll": "roll",
    },
}
RESULTS = "school,mean,sat\nN1,101.5,20\nN2,SUPP,4\nE1,95.25,31\n"
RESULTS_MAPPING: dict[str, Any] = {
    "name": "",
    "kind": "school_results",
    "columns": {
        "school": "school",
        "mean": "mean",
        "candidates": "sat",
        "year": {"constant": "2022"},
        "subject": {"constant": "Reading"},
    },
}
PUPILS = "school,pupil,score\nN1,p1,10\nN1,p2,12.5\nN2,p1,NA\n"
PUPILS_MAPPING: dict[str, Any] = {
    "name": "",
    "kind": "pupil_results",
    "columns": {
        "school": "school",
        "pupil": "pupil",
        "score": "score",
        "year": {"constant": "2022"},
        "subject": {"constant": "Reading"},
    },
}


def work(job: Job | None) -> Job:
    """Do a job in this process, as a worker would."""
    assert job is not None
    return jobs.run_here(job)


def check(
    content: str | bytes, definition: dict[str, Any], by: Appointment, name: str = "file.csv"
) -> Batch:
    """Upload, map and check."""
    data = content.encode() if isinstance(content, str) else content
    batch = actions.upload(io.BytesIO(data), name=name, kind=definition["kind"], by=by)
    actions.look(batch, by=by)
    batch = actions.set_mapping(batch, definition, by=by)
    job = work(actions.check(batch, by=by))
    assert job.status == Job.Status.DONE, job.problem
    return Batch.objects.get(pk=batch.pk)


def bring_in(
    content: str | bytes, definition: dict[str, Any], by: Appointment, *, leave_out: bool = False
) -> Batch:
    """Upload, map, check, confirm."""
    batch = check(content, definition, by)
    job = work(actions.confirm(batch, by=by, leave_out_refused=leave_out))
    assert job.status == Job.Status.DONE, job.problem
    return Batch.objects.get(pk=batch.pk)


def take_back(batch: Batch, by: Appointment) -> Job:
    return work(actions.undo(batch, by=by))


def register() -> list[tuple[Any, ...]]:
    """Every field of every area and school: two equal dumps are two equal registers."""
    areas = Area.objects.order_by("pk").values_list("pk", "name", "parent", "path", "outline")
    schools = School.objects.order_by("pk").values_list(
        *[field.attname for field in School._meta.concrete_fields]
    )
    return [*map(repr, areas), *map(repr, schools)]  # type: ignore[list-item] # rows as text


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def post_file(client: Client, content: bytes, kind: str = "schools", name: str = "f.csv") -> Any:
    upload = SimpleUploadedFile(name, content, content_type="text/csv")
    return client.post(reverse("imports:new"), {"kind": kind, "file": upload})
