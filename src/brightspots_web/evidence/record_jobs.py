"""Registers the record: jobs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_record_queries as support
from brightspots_web.connectedness.support_record_queries import Project as Given
from brightspots_web.directory import queries as directory
from brightspots_web.evidence import record_actions as actions
from brightspots_web.evidence import record_queries as queries
from brightspots_web.insight import after_publishing, year_figure_queries
from brightspots_web.insight import queries as insight
from brightspots_web.shared import jobs
from brightspots_web.shared.components import Link
from brightspots_web.shared.models import Job


def _to_records(job: Job) -> Link:
    return Link(_("See the track records"), reverse("evidence:records"))


@after_publishing.register("evidence.records")
def _follow(by: Any) -> object:
    return actions.follow_publishing(by)


@jobs.register(actions.RECKON, follow=_to_records)
def reckon(parameters: Mapping[str, Any], progress: jobs.Progress) -> Mapping[str, Any]:
    """Hold every project against schools without help, and keep everybody's record.

    Stopped or killed it leaves nothing: all is written in one transaction at the end, and done
    again it finds what it wrote.
    """
    from brightspots_web.evidence.analysis import record as analysis  # heavy: jobs alone load it

    job = progress.job.pk
    made = queries.set_of(job)
    if made is None:
        run = insight.current_run()
        if run is None:
            raise jobs.CannotError(
                _("No analysis is published. Publish one first: records follow from its figures.")
            )
        by = directory.appointment(int(progress.job.appointment))
        progress(0.02, "Gathering projects")
        over, under_way = support.support_over(), support.support_under_way()
        taken = support.adoptions()
        progress(0.05, "Gathering figures")
        figures = year_figure_queries.year_figures(run)
        helps = [_project(each, str(_whose(each))) for each in over]
        going_on = [_project(each, "") for each in under_way]
        ways = [_project(each, str(each.practice)) for each in taken]
        found = analysis.effects(
            helps, going_on, ways, figures,
            lambda done, stage: progress(0.1 + 0.35 * done, stage),
        )  # fmt: skip
        of_ways = analysis.effects(
            ways, [], [*helps, *going_on], figures,
            lambda done, stage: progress(0.45 + 0.35 * done, stage),
        )  # fmt: skip
        progress(0.8, "Records")
        topics = [queries.topic_of(each) for each in queries.newest_priorities().values()]
        leaders = analysis.records(
            helps, found, kind="leader",
            everybody=[str(key) for key in support.givers()], topics=topics,
        )  # fmt: skip
        practices = analysis.records(ways, of_ways, kind="practice")
        progress(0.95, "Keeping the records")
        made = actions.keep(
            run,
            {
                "method": analysis.METHOD,
                "method_version": analysis.METHOD_VERSION,
                "input_hash": leaders.input_hash or practices.input_hash,
                "settings": {"leaders": leaders.settings, "practices": practices.settings},
                "summary": {
                    "leaders": {"means": leaders.means, "sds": leaders.sds},
                    "practices": {"means": practices.means, "sds": practices.sds},
                },
                "leaders": {
                    "projects": over,
                    "effects": found,
                    "rows": [row for row in leaders.rows if row["who"].isdigit()],
                },
                "practices": {"projects": taken, "effects": of_ways, "rows": practices.rows},
            },
            by=by,
            job=job,
        )
    return _result(made.pk)


def _result(key: int) -> dict[str, Any]:
    return {"set": key}


def _whose(each: Given) -> int | str:
    """The leader's key; somebody who is gone keeps a record of their own, which nobody sees."""
    return each.leader.pk if each.leader is not None else f"gone {each.leader_name}"


def _project(each: Given, who: str) -> Any:
    from brightspots_web.evidence.analysis.record import Project

    priority = each.priority
    # Who gave a practice up again counts as having taken it up: no picking of the good ones.
    taken = each.starts if each.practice is not None else (each.ends or each.starts)
    return Project(
        key=each.key,
        who=who,
        topic=queries.topic_of(priority),
        subject=priority.subject if priority is not None else "",
        school=each.school.pk,
        starts=each.starts,
        ends=each.ends,
        taken=taken,
    )


__all__: Sequence[str] = ("reckon",)
