"""Track records in words: what is known, from how much, as of when; nobody is ranked."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness.support_record_queries import Project
from brightspots_web.evidence import record_queries as queries
from brightspots_web.evidence.models import ProjectEffect, RecordSet, TrackRecord
from brightspots_web.evidence.record_queries import Told
from brightspots_web.shared.charts import number
from brightspots_web.shared.words import day

LIKELY = 1.96


def projects(n: int) -> str:
    return ngettext("{n} project", "{n} projects", n).format(n=number(n, 0))


def told(each: Told) -> str:
    """All that is told of one leader or practice at one priority, in one line."""
    if each.state == queries.NONE:
        return _("No record yet.")
    counted = projects(each.n_projects)
    if each.state == queries.NOT_MEASURED:
        return _("{projects}, not measured yet.").format(projects=counted)
    if each.state == queries.FEW:
        return _("{projects}; too few schools to show a figure.").format(projects=counted)
    if each.state == queries.OUTSIDE:
        return _(
            "{projects}; one or two schools lie outside what you see, so no figure is shown."
        ).format(projects=counted)
    assert each.record is not None
    schools = ngettext("{n} school", "{n} schools", each.n_schools).format(
        n=number(each.n_schools, 0)
    )
    if each.n_measured == each.n_projects:
        return _("{figure}; from {projects} at {schools}.").format(
            figure=figure(each.record), projects=counted, schools=schools
        )
    return _("{figure}; from {projects}, {measured} of them measured, at {schools}.").format(
        figure=figure(each.record),
        projects=counted,
        measured=number(each.n_measured, 0),
        schools=schools,
    )


def figure(row: TrackRecord) -> str:
    """What is expected of the next project, with its interval."""
    return _("{value} expected, likely between {lower} and {upper}").format(
        value=gain(row.estimate), lower=gain(row.lower), upper=gain(row.upper)
    )


def gain(value: float | None) -> str:
    return number(value, 2, signed=True)


def brought(effect: ProjectEffect | None) -> str:
    """What one project brought, for its leader; or why nobody can say."""
    if effect is None:
        return _("not reckoned yet")
    if effect.effect is None or effect.se is None:
        return str(ProjectEffect.Why(effect.why).label)
    reach = LIKELY * effect.se
    return _("{value}, likely between {lower} and {upper}").format(
        value=gain(effect.effect),
        lower=gain(effect.effect - reach),
        upper=gain(effect.effect + reach),
    )


def behind(effect: ProjectEffect | None) -> str:
    """From which years, how many pupils and how many schools to compare with."""
    if effect is None or effect.effect is None:
        return ""
    return _(
        "Results up to {before} and of {after}; {pupils} pupils; {schools} schools without help "
        "in the same years."
    ).format(
        before=effect.before,
        after=effect.after,
        pupils=number(effect.n, 0),
        schools=number(effect.n_comparison, 0),
    )


def when(project: Project) -> str:
    """From when to when, and whether it ended early."""
    if project.ends is None:
        return _("since {day}").format(day=day(project.starts))
    span = _("{starts} to {ends}").format(starts=day(project.starts), ends=day(project.ends))
    return _("{span}, ended early").format(span=span) if project.early else span


def as_of(made: RecordSet | None) -> str:
    """As of which day, and from which analysis."""
    if made is None:
        return _("Nothing is reckoned yet from the figures that are published now.")
    return _("Reckoned on {day} from the figures published on {published}.").format(
        day=day(made.made_at), published=day(made.run.published_at) if made.run else "?"
    )


def unit() -> str:
    return _(
        "Gains are parts of the spread among pupils (standard deviations): +0.10 moves a pupil in "
        "the middle past about 4 of 100 others. Each project is held against schools with the same "
        "past that had no help. Every project counts, whatever came of it."
    )


def exploration(share: int) -> str:
    if share == 0:
        return _("Suggestions go by records alone: no request goes by a draw.")
    return _(
        "Of 100 requests for support, {n} at most go by a draw, so that leaders with little or no "
        "record get their chance."
    ).format(n=number(share, 0))


def made_facts(made: RecordSet) -> list[tuple[str, Any]]:
    """How it was made: method, version, input, differences found."""
    sds = made.summary.get("leaders", {}).get("sds", {})
    facts: list[tuple[str, Any]] = [
        (_("Method"), f"{made.method} {made.method_version}"),
        (_("Reckoned"), day(made.made_at)),
        (_("Asked for by"), made.asked_by),
        (_("Fingerprint of the input"), made.input_hash[:16] or _("none")),
    ]
    if sds:
        facts.append(
            (
                _("Differences found (standard deviations)"),
                _("leaders {leader}; a leader’s priorities {cell}; projects {project}").format(
                    leader=number(sds.get("leader"), 2),
                    cell=number(sds.get("leader_priority"), 2),
                    project=number(sds.get("project"), 2),
                ),
            )
        )
    return facts
