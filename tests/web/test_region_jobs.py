"""A proposal for many schools: parts as jobs, joined; a worker that dies; a stop; a failure."""

from collections.abc import Mapping
from typing import Any

import pytest

from brightspots_web.connectedness import actions, region_jobs
from brightspots_web.connectedness.models import Proposal
from brightspots_web.directory.models import School
from brightspots_web.shared import jobs
from brightspots_web.shared.models import Job
from tests.web.world import World

SETTINGS = {"minimum": 3, "maximum": 8, "max_km": 400}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The few schools of the test world count as many."""
    monkeypatch.setattr(region_jobs, "LARGE", 2)
    monkeypatch.setattr(region_jobs, "MOST", 7)


def ask(world: World) -> Job:
    return actions.ask_for_proposal(SETTINGS, by=world.cast["minister"])


def parts() -> list[Job]:
    return list(Job.objects.filter(kind=region_jobs.PART).order_by("pk"))


def test_parts_are_jobs_and_the_whole_keeps_one_proposal_for_every_school(world: World) -> None:
    job = jobs.run_here(ask(world))
    assert job.status == "done", job.problem
    assert len(parts()) > 1
    assert {part.status for part in parts()} == {"done"}
    assert {part.actor for part in parts()} == {job.actor}
    proposal = Proposal.objects.get()
    assert proposal.job == job.pk
    placed = set(proposal.members.values_list("school__code", flat=True))
    alone = set(proposal.isolations.values_list("school__code", flat=True))
    assert placed | alone == set(world.schools)
    assert not placed & alone


def test_parts_done_by_other_workers_are_taken_as_they_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks finds all parts in the hands of others, who finish them while it waits."""
    own = jobs.run
    monkeypatch.setattr(jobs, "run", lambda _pk: Job.objects.filter(kind=region_jobs.PART).update())
    looks: list[float] = []

    def others(seconds: float) -> None:
        looks.append(seconds)
        for part in parts():
            Job.objects.filter(pk=part.pk, status="running").update(status="queued")
            own(part.pk)

    monkeypatch.setattr(region_jobs.time, "sleep", others)
    queue = region_jobs._queue

    def queued_and_taken(*args: Any) -> None:
        queue(*args)
        from django.utils import timezone

        Job.objects.filter(kind=region_jobs.PART).update(
            status="running", heartbeat_at=timezone.now()
        )

    monkeypatch.setattr(region_jobs, "_queue", queued_and_taken)
    job = jobs.run_here(ask(world))
    assert job.status == "done", job.problem
    assert looks


def test_a_worker_that_dies_half_way_costs_no_part_that_was_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    own = jobs.run

    class KilledError(BaseException):
        pass

    def dies_in_the_second(pk: int) -> None:
        if done:
            raise KilledError
        own(pk)
        done.append(pk)

    monkeypatch.setattr(jobs, "run", dies_in_the_second)
    job = ask(world)
    with pytest.raises(KilledError):
        jobs.run_here(job)
    assert [part.status for part in parts()].count("done") == 1
    before = len(parts())
    Job.objects.filter(pk=job.pk).update(status="queued")  # as jobs.recover does
    monkeypatch.setattr(jobs, "run", own)
    again = jobs.run_here(Job.objects.get(pk=job.pk))
    assert again.status == "done", again.problem
    assert len(parts()) == before
    assert Job.objects.get(pk=done[0]).attempts == 1
    assert Proposal.objects.count() == 1


def test_schools_changed_meanwhile_are_said_and_nothing_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = region_jobs._queue

    def then_a_school_moves(*args: Any) -> None:
        queue(*args)
        School.objects.filter(code="N1").update(latitude=1.5)

    monkeypatch.setattr(region_jobs, "_queue", then_a_school_moves)
    job = jobs.run_here(ask(world))
    assert job.status == "failed"
    assert "Please propose again" in job.problem
    assert not Proposal.objects.exists()
    assert {part.status for part in parts()} == {"failed", "stopped"}


def test_stopping_the_whole_stops_its_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    own = jobs.run

    def stopped_meanwhile(pk: int) -> None:
        jobs.stop(Job.objects.get(kind=actions.PROPOSE))
        own(pk)

    monkeypatch.setattr(jobs, "run", stopped_meanwhile)
    job = jobs.run_here(ask(world))
    assert job.status == "stopped"
    assert {part.status for part in parts()} == {"stopped"}
    assert not Proposal.objects.exists()


def test_few_schools_are_formed_as_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_jobs, "LARGE", 1000)
    assert jobs.run_here(ask(world)).status == "done"
    assert parts() == []


def test_parameters_of_a_part_say_what_it_is_part_of(world: World) -> None:
    job = jobs.run_here(ask(world))
    told: list[Mapping[str, Any]] = [part.parameters for part in parts()]
    assert {entry["part_of"] for entry in told} == {job.pk}
    assert [entry["number"] for entry in told] == list(range(len(told)))
