"""Work too long for a request, kept in the database and done by a worker.

An app registers what it can do::

    @jobs.register("insight.analyse")
    def analyse(parameters, progress): ...

and an action asks for it with :func:`enqueue`. A job must be idempotent: it publishes its results
in one transaction at its end, so that one killed half way can simply be run again.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.shared.components import Link
from brightspots_web.shared.models import Job
from brightspots_web.shared.permissions import Actor

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a job may die with its worker before it is given up."""


class StoppedError(Exception):
    """Somebody asked for the job to stop."""


class LostError(Exception):
    """The job was taken for dead and is no longer ours: another worker does it anew."""


class CannotError(Exception):
    """The job cannot be done; the message tells the person why and what to do."""


class Progress:
    """Tells how far a job is, and stops it when somebody asked for that.

    Call it with the fraction done (0 to 1) and the stage in plain words. Writes at most twice a
    second, so it may be called as often as is handy.
    """

    def __init__(self, job: Job, echo: Callable[[float, str], None] | None = None) -> None:
        self.job = job
        self.echo = echo
        self._written = 0.0
        self._stage = ""

    def __call__(self, fraction: float, stage: str) -> None:
        if self.echo:
            self.echo(fraction, stage)
        now = time.monotonic()
        if now - self._written < 0.5 and stage == self._stage:
            return
        self._written, self._stage = now, stage
        ours = _ours(self.job).update(
            fraction=min(max(fraction, 0.0), 1.0), stage=stage[:200], heartbeat_at=timezone.now()
        )
        if not ours:
            raise LostError
        if Job.objects.filter(pk=self.job.pk, stop_requested=True).exists():
            raise StoppedError


Work = Callable[[Mapping[str, Any], Progress], Mapping[str, Any] | None]
Follow = Callable[[Job], Link]
_registry: dict[str, Work] = {}
_follow: dict[str, Follow] = {}
_next: dict[str, list[tuple[str, Any]]] = {}


def register(
    kind: str, *, follow: Follow | None = None, after: Mapping[str, Any] | None = None
) -> Callable[[Work], Work]:
    """Make a function the one that does jobs of this kind.

    `follow` gives the link that a finished job's page offers. `after` names the kinds of job that
    this one follows whenever one of them is done, with its own title: a higher layer keeps its
    figures fresh without the lower one knowing of it.
    """

    def add(work: Work) -> Work:
        _registry[kind] = work
        if follow:
            _follow[kind] = follow
        for earlier, title in (after or {}).items():
            _next.setdefault(earlier, []).append((kind, title))
        return work

    return add


def enqueue(kind: str, *, by: Actor, title: str, parameters: Mapping[str, Any]) -> Job:
    """Queue a job; it reaches the worker when the present transaction is committed."""
    job = Job.objects.create(
        kind=kind,
        title=title,
        parameters=dict(parameters),
        appointment=str(by.pk),
        actor=by.label[:300],
    )
    transaction.on_commit(lambda: _send(job.pk))
    return job


def enqueue_part(whole: Job, kind: str, *, title: str, parameters: Mapping[str, Any]) -> Job:
    """Queue a part of a job at work, for whoever asked for the whole."""
    part = Job.objects.create(
        kind=kind,
        title=title[:200],
        parameters={**parameters, "part_of": whole.pk},
        appointment=whole.appointment,
        actor=whole.actor,
    )
    transaction.on_commit(lambda: _send(part.pk))
    return part


def parts_of(whole: Job, kind: str) -> QuerySet[Job]:
    """Parts queued before, those of an earlier attempt included, oldest first."""
    return Job.objects.filter(kind=kind, parameters__part_of=whole.pk).order_by("pk")


def asked_to_stop(job_id: int) -> bool:
    """Tell whether a job that others work for is to stop, or is over for whatever reason."""
    at_work = (Job.Status.QUEUED, Job.Status.RUNNING)
    going_on = Job.objects.filter(pk=job_id, status__in=at_work, stop_requested=False)
    return not going_on.exists()


def follow(job: Job) -> Link | None:
    """Where to go when the job is done."""
    if job.status != Job.Status.DONE or job.kind not in _follow:
        return None
    return _follow[job.kind](job)


def stop(job: Job) -> None:
    """Ask for a job to stop: at once when it waits, at its next report when it is at work."""
    waiting = Job.objects.filter(pk=job.pk, status=Job.Status.QUEUED)
    if not waiting.update(status=Job.Status.STOPPED, finished_at=timezone.now()):
        Job.objects.filter(pk=job.pk).update(stop_requested=True)


def run(job_id: int) -> None:
    """Do a queued job; the worker's way in. Does nothing when another worker has it."""
    if not _claim(job_id):
        return
    job = Job.objects.get(pk=job_id)
    over = threading.Event()
    pulse = threading.Thread(target=_beat, args=(job, over), daemon=True)
    pulse.start()
    try:
        for later in _do(job, Progress(job)):
            _send(later.pk)
    finally:
        over.set()
        pulse.join()


def run_here(job: Job, echo: Callable[[float, str], None] | None = None) -> Job:
    """Do a job in this process, as the command line does; problems are left in the job's row."""
    if _claim(job.pk):
        job.refresh_from_db()
        for later in _do(job, Progress(job, echo)):
            run_here(later, echo)
    job.refresh_from_db()
    return job


def recover() -> int:
    """Find jobs whose worker died: queue them again, or fail them cleanly after three attempts."""
    before = timezone.now() - timedelta(seconds=settings.JOB_STALE)
    found = 0
    for job in Job.objects.filter(status=Job.Status.RUNNING, heartbeat_at__lt=before):
        mine = _ours(job).filter(status=job.status, heartbeat_at=job.heartbeat_at)
        if job.attempts >= ATTEMPTS:
            problem = _(
                "The worker stopped in the middle of this job three times. Nothing was changed."
            )
            found += mine.update(
                status=Job.Status.FAILED, problem=problem, finished_at=timezone.now()
            )
        elif mine.update(status=Job.Status.QUEUED, heartbeat_at=timezone.now()):
            _send(job.pk)
            found += 1
    return found + _send_again(before)


def _send_again(before: datetime) -> int:
    """Waiting jobs whose message was lost with the worker that had taken it from the queue.

    As long as a worker is at work they may simply be waiting for it. A message too many does no
    harm: only a waiting job is taken up.
    """
    if Job.objects.filter(status=Job.Status.RUNNING, heartbeat_at__gte=before).exists():
        return 0
    found = 0
    for job in Job.objects.filter(
        Q(heartbeat_at__lt=before) | Q(heartbeat_at__isnull=True, queued_at__lt=before),
        status=Job.Status.QUEUED,
    ):
        mine = Job.objects.filter(
            pk=job.pk, status=Job.Status.QUEUED, heartbeat_at=job.heartbeat_at
        )
        if mine.update(heartbeat_at=timezone.now()):
            _send(job.pk)
            found += 1
    return found


def _ours(job: Job) -> QuerySet[Job]:
    """The job's row as long as it is the same attempt at it."""
    return Job.objects.filter(pk=job.pk, attempts=job.attempts)


def _send(job_id: int) -> None:
    from django_q.tasks import async_task  # needs the app registry, which imports this module

    async_task("brightspots_web.shared.jobs.run", job_id, task_name=f"job-{job_id}")


def _claim(job_id: int) -> bool:
    now = timezone.now()
    return bool(
        Job.objects.filter(pk=job_id, status=Job.Status.QUEUED).update(
            status=Job.Status.RUNNING,
            started_at=now,
            heartbeat_at=now,
            attempts=F("attempts") + 1,
            fraction=0.0,
            stage="",
        )
    )


def _do(job: Job, progress: Progress) -> list[Job]:
    """Do the work, write down how it ended, and return the jobs that follow it."""
    outcome: dict[str, Any]
    try:
        result = _registry[job.kind](job.parameters, progress)
        outcome = {"status": Job.Status.DONE, "fraction": 1.0, "result": dict(result or {})}
    except LostError:
        return []
    except StoppedError:
        outcome = {"status": Job.Status.STOPPED}
    except CannotError as reason:
        outcome = {"status": Job.Status.FAILED, "problem": str(reason)}
    except Exception:
        logger.exception("job %s (%s) failed", job.pk, job.kind)
        reference = traceback.format_exc().strip().splitlines()[-1]
        problem = _("Something went wrong that we did not foresee. Nothing was changed.")
        outcome = {"status": Job.Status.FAILED, "problem": f"{problem} ({reference})"}
    with transaction.atomic():
        ours = _ours(job).update(finished_at=timezone.now(), **outcome)
        if not ours or outcome["status"] != Job.Status.DONE:
            return []
        return [
            Job.objects.create(
                kind=kind, title=str(title), appointment=job.appointment, actor=job.actor
            )
            for kind, title in _next.get(job.kind, [])
        ]


def _beat(job: Job, over: threading.Event) -> None:
    try:
        while not over.wait(settings.JOB_HEARTBEAT):
            try:
                _ours(job).update(heartbeat_at=timezone.now())
            except DatabaseError:
                # SQLite lets one write at a time: the job itself may be publishing just now.
                logger.debug("no heartbeat of job %s this time", job.pk)
    finally:
        connection.close()
