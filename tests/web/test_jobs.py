"""Jobs: asked for, done, stopped, failed, found again when their worker died."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from brightspots_web.shared import jobs
from brightspots_web.shared.models import Job
from tests.web.conftest import SignIn
from tests.web.world import World

done: list[str] = []


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds of job that only these tests know."""
    for registry in ("_registry", "_follow", "_next"):
        monkeypatch.setattr(jobs, registry, dict(getattr(jobs, registry)))
    done.clear()

    @jobs.register("test.add")
    def add(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
        progress(0.5, "half way")
        done.append("add")
        return {"sum": parameters["a"] + parameters["b"]}

    @jobs.register("test.after", after={"test.add": "After adding"})
    def after(parameters: Mapping[str, Any], progress: jobs.Progress) -> None:
        done.append("after")

    @jobs.register("test.cannot")
    def cannot(parameters: Mapping[str, Any], progress: jobs.Progress) -> None:
        raise jobs.CannotError("There are no schools yet.")

    @jobs.register("test.breaks")
    def breaks(parameters: Mapping[str, Any], progress: jobs.Progress) -> None:
        raise KeyError("x")

    @jobs.register("test.asked_to_stop")
    def asked_to_stop(parameters: Mapping[str, Any], progress: jobs.Progress) -> None:
        jobs.stop(progress.job)
        progress(0.1, "first")
        done.append("went on")

    @jobs.register("test.lost")
    def lost(parameters: Mapping[str, Any], progress: jobs.Progress) -> None:
        Job.objects.filter(pk=progress.job.pk).update(attempts=2)  # another worker took it up
        progress(0.1, "first")
        done.append("went on")


def ask(world: World, kind: str, **parameters: Any) -> Job:
    return jobs.enqueue(kind, by=world.cast["analyst"], title="Test", parameters=parameters)


def test_a_job_is_done_and_its_followers_after_it(world: World) -> None:
    job = jobs.run_here(ask(world, "test.add", a=1, b=2))
    assert (job.status, job.fraction, job.result, job.attempts) == ("done", 1.0, {"sum": 3}, 1)
    assert done == ["add", "after"]
    follower = Job.objects.get(kind="test.after")
    assert (follower.status, follower.title, follower.actor) == ("done", "After adding", job.actor)


def test_progress_is_written_and_echoed(world: World) -> None:
    told: list[tuple[float, str]] = []
    job = ask(world, "test.add", a=1, b=2)
    jobs.run_here(job, lambda fraction, stage: told.append((fraction, stage)))
    assert told == [(0.5, "half way")]
    assert Job.objects.get(pk=job.pk).stage == "half way"


def test_progress_writes_seldom_but_every_new_stage(
    world: World, django_assert_max_num_queries: Any
) -> None:
    job = ask(world, "test.add")
    progress = jobs.Progress(job)
    with django_assert_max_num_queries(4):
        for step in range(1000):
            progress(step / 1000, "one" if step < 500 else "two")
    assert Job.objects.get(pk=job.pk).stage == "two"


def test_what_a_person_can_mend_is_told_in_its_words(world: World) -> None:
    job = jobs.run_here(ask(world, "test.cannot"))
    assert (job.status, job.problem) == ("failed", "There are no schools yet.")


def test_an_unforeseen_error_fails_the_job_and_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    job = jobs.run_here(ask(world, "test.breaks"))
    assert job.status == "failed"
    assert "KeyError" in job.problem
    assert "Traceback" in caplog.text
    assert not Job.objects.exclude(pk=job.pk).exists()


def test_a_job_at_work_stops_at_its_next_report(world: World) -> None:
    assert jobs.run_here(ask(world, "test.asked_to_stop")).status == "stopped"
    assert not done


def test_a_waiting_job_is_stopped_at_once_and_never_begins(world: World) -> None:
    job = ask(world, "test.add", a=1, b=2)
    jobs.stop(job)
    assert jobs.run_here(job).status == "stopped"
    assert not done


def test_an_attempt_that_was_given_up_for_dead_writes_nothing(world: World) -> None:
    job = jobs.run_here(ask(world, "test.lost"))
    assert (job.status, job.attempts) == ("running", 2)
    assert not done


@pytest.mark.django_db(transaction=True)
def test_a_second_delivery_does_nothing(world: World) -> None:
    job = ask(world, "test.add", a=1, b=2)
    jobs.run_here(job)
    jobs.run(job.pk)
    jobs.run(job.pk)
    assert done == ["add", "after"]
    assert Job.objects.get(pk=job.pk).attempts == 1


def test_the_queue_gets_the_job_when_the_transaction_holds(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = ask(world, "test.add", a=1, b=2)
        assert not OrmQ.objects.exists()
    assert [message.task["args"] for message in OrmQ.objects.all()] == [(job.pk,)]


# Workers that die


def dead(world: World, **state: Any) -> Job:
    long_ago = timezone.now() - timedelta(seconds=2 * settings.JOB_STALE)
    job = ask(world, "test.add", a=1, b=2)
    state = {"status": "running", "attempts": 1, "heartbeat_at": long_ago} | state
    Job.objects.filter(pk=job.pk).update(queued_at=long_ago, **state)
    return Job.objects.get(pk=job.pk)


def test_a_job_whose_worker_died_is_queued_again_and_done_once(world: World) -> None:
    job = dead(world)
    assert jobs.recover() == 1
    assert jobs.recover() == 0
    assert OrmQ.objects.count() == 1
    job = jobs.run_here(job)
    assert (job.status, job.attempts, done) == ("done", 2, ["add", "after"])


def test_after_three_attempts_it_fails_cleanly(world: World) -> None:
    job = dead(world, attempts=3)
    assert jobs.recover() == 1
    job.refresh_from_db()
    assert job.status == "failed"
    assert "three times" in job.problem
    assert not OrmQ.objects.exists()


def test_a_job_with_a_heart_that_beats_is_left_alone(world: World) -> None:
    job = dead(world, heartbeat_at=timezone.now())
    assert jobs.recover() == 0
    assert Job.objects.get(pk=job.pk).status == "running"


@pytest.mark.parametrize("attempts", [0, 1])
def test_a_message_that_died_with_its_worker_is_sent_again(world: World, attempts: int) -> None:
    heart = None if attempts == 0 else timezone.now() - timedelta(seconds=2 * settings.JOB_STALE)
    dead(world, status="queued", attempts=attempts, heartbeat_at=heart)
    assert jobs.recover() == 1
    assert jobs.recover() == 0
    assert OrmQ.objects.count() == 1


def test_a_job_that_waits_for_a_busy_worker_is_not_sent_again(world: World) -> None:
    dead(world, heartbeat_at=timezone.now())
    dead(world, status="queued", attempts=0, heartbeat_at=None)
    assert jobs.recover() == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_shows_that_its_heart_beats(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "JOB_HEARTBEAT", 0.01)
    beats: list[int] = []

    def counted(job: Job) -> QuerySet[Job]:
        beats.append(1)
        return Job.objects.filter(pk=job.pk)

    monkeypatch.setattr(jobs, "_ours", counted)

    @jobs.register("test.long")
    def long(parameters: Mapping[str, Any], progress: jobs.Progress) -> None:
        until = time.monotonic() + 30
        while len(beats) < 3 and time.monotonic() < until:
            time.sleep(0.01)

    job = ask(world, "test.long")
    jobs.run(job.pk)
    assert Job.objects.get(pk=job.pk).status == "done"
    assert len(beats) >= 3


def test_the_queue_redelivers_only_long_after_any_job() -> None:
    queue: dict[str, Any] = settings.Q_CLUSTER
    assert queue["orm"] == "default"
    assert queue["retry"] > queue["timeout"] > 3600
    assert queue["max_attempts"] == 1
    assert queue["save_limit"] > 0
    assert settings.JOB_STALE > 5 * settings.JOB_HEARTBEAT


# Pages


def test_the_page_renews_itself_until_the_job_is_over(world: World, sign_in: SignIn) -> None:
    job = ask(world, "test.add", a=1, b=2)
    client = sign_in("analyst")
    url = reverse("shared:job", args=[job.pk])
    assert client.get(url).headers["Refresh"] == "2"
    jobs.run_here(job)
    page = client.get(url)
    assert "Refresh" not in page.headers
    assert "Done on" in page.content.decode()


def test_only_ones_own_jobs_are_shown_below_the_ministry(world: World, sign_in: SignIn) -> None:
    job = jobs.enqueue("test.add", by=world.cast["head"], title="Mine", parameters={})
    url = reverse("shared:jobs")
    assert "Mine" in sign_in("head").get(url).content.decode()
    assert "Mine" in sign_in("minister").get(url).content.decode()
    assert "Mine" not in sign_in("partner_head").get(url).content.decode()
    assert job.title == "Mine"


def test_the_list_of_jobs_asks_few_questions(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for _number in range(20):
        ask(world, "test.add", a=1, b=2)
    client = sign_in("analyst")
    with django_assert_max_num_queries(7):
        client.get(reverse("shared:jobs"))
