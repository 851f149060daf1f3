"""A later end of support on its page: what is proposed, who may answer it, what came of others."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness import support_words as words
from brightspots_web.connectedness.models import Deployment, DeploymentExtension, DeploymentView
from brightspots_web.shared.components import Cell, Column, Table

Row = dict[str, Any]
State = DeploymentExtension.State


def extension_part(found: Deployment, side: str) -> Row:
    """What a page of support says of its end; forms are added by the view."""
    every = queries.extensions_of(found)
    waits = next((each for each in every if each.state == State.PROPOSED), None)
    running = found.state == Deployment.State.RUNNING
    part: Row = {
        "may_extend": running and bool(side) and waits is None,
        "extensions": _table(found, [each for each in every if each.state != State.PROPOSED]),
        "proposal": None,
    }
    if waits is not None:
        mine = side == waits.side
        part["proposal"] = {
            "text": _says(found, waits),
            "why": waits.why,
            "may_answer": bool(side) and not mine,
            "may_take_back": bool(side) and mine,
            "agree_url": reverse("connectedness:support_extension_agree", args=[waits.pk]),
            "decline_url": reverse("connectedness:support_extension_decline", args=[waits.pk]),
            "back_url": reverse("connectedness:support_extension_withdraw", args=[waits.pk]),
        }
    return part


def extension_values(found: Deployment) -> Row:
    """What is agreed now, for the form that proposes a later end."""
    return {
        "exit_on": found.exit_on.isoformat(),
        "days": f"{float(found.days):g}",
        "seen": found.version,
    }


def _school(found: Deployment, extension: DeploymentExtension) -> str:
    giving = extension.side == DeploymentView.Side.GIVING
    return (found.giving if giving else found.receiving).name


def _says(found: Deployment, waits: DeploymentExtension) -> str:
    values = {
        "school": _school(found, waits),
        "day": words.day(waits.exit_on),
        "before": words.day(found.exit_on),
    }
    if waits.days == found.days:
        return _("{school} proposes that support ends on {day} instead of {before}.").format(
            **values
        )
    return _(
        "{school} proposes that support ends on {day} instead of {before}, with {days} in all "
        "instead of {now}."
    ).format(
        **values,
        days=words.number_of_days(waits.days),
        now=words.in_days(found.days),
    )


def _table(found: Deployment, answered: list[DeploymentExtension]) -> Table | None:
    if not answered:
        return None
    rows: list[list[Cell]] = [
        [
            _school(found, each),
            words.day(each.exit_before),
            words.day(each.exit_on),
            words.in_days(each.days),
            each.why,
            _answer(each),
        ]
        for each in answered
    ]
    return Table(
        _("Later ends that were proposed"),
        [
            Column(_("Proposed by")),
            Column(_("Instead of")),
            Column(_("Ends on")),
            Column(_("Days in all"), numeric=True),
            Column(_("Why")),
            Column(_("Answer")),
        ],
        rows,
    )


def _answer(extension: DeploymentExtension) -> str:
    state = str(extension.get_state_display())
    if not extension.answer_why:
        return state
    return _("{state}: {why}").format(state=state, why=extension.answer_why)
