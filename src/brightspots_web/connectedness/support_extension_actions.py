"""A later day on which support ends: one school proposes it, the other agrees. The writes."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness import support_states as states
from brightspots_web.connectedness.models import Deployment, DeploymentExtension, DeploymentView
from brightspots_web.connectedness.support_actions import MOST_DAYS
from brightspots_web.connectedness.support_deployment_actions import LONGEST, names, tell_all
from brightspots_web.connectedness.support_lock_actions import (
    check_more_days,
    check_open,
    held_deployment,
    in_days,
    required,
    saved,
    tell,
)
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared import audit

State = DeploymentExtension.State


@transaction.atomic
def propose_extension(
    deployment: Deployment,
    *,
    by: Appointment,
    exit_on: date,
    days: Decimal,
    why: str,
    seen: int | None = None,
) -> DeploymentExtension:
    """One school proposes that support ends later. Nothing changes before the other agrees.

    Parameters
    ----------
    exit_on : date
        The new last day: later than the one agreed, and not past.
    days : Decimal
        Days of the whole support, at least those agreed; what is more is held against the
        leader's days, here and when the other school agrees.
    why : str
        Both schools, the officers and the partnership's leader read it.

    Raises
    ------
    PermissionDenied
        Somebody of neither school.
    ValidationError
        A value cannot be, another proposal waits, or the leader has too few days left.
    OvertakenError
        The support was changed since the person opened the page.
    """
    same = _same(deployment, by, exit_on, days, why)
    if same is not None:
        return same  # pressed twice
    deployment = held_deployment(deployment.pk, seen)
    side = queries.side_of(deployment, by)
    if not side:
        raise PermissionDenied
    _check_runs(deployment)
    if deployment.extensions.filter(state=State.PROPOSED).exists():
        raise ValidationError(
            _("A later end is proposed already. Answer that, or take it back, before another.")
        )
    why = required(why, "why", _("Say why, so that the other school can decide."))
    _check_terms(deployment, exit_on, days)
    check_more_days(deployment, days)
    made = DeploymentExtension.objects.create(
        deployment=deployment,
        side=side,
        exit_before=deployment.exit_on,
        days_before=deployment.days,
        exit_on=exit_on,
        days=days,
        why=why,
        proposed_by=by.label[:300],
        proposed_at=timezone.now(),
    )
    saved(deployment)
    audit.record("connectedness.propose_extension", by=by, target=deployment, detail=_detail(made))
    tell(_others(made), "extension_proposed", deployment, by=by, **names(deployment))
    return made


@transaction.atomic
def agree_extension(extension: DeploymentExtension, *, by: Appointment) -> DeploymentExtension:
    """The other school agrees: from now on the later end holds, and so do the days."""
    extension, deployment = _held(extension, by, of_the_other=True)
    if extension.state == State.AGREED:
        return extension  # pressed twice
    _check_runs(deployment)
    to = states.follow(states.EXTENSION, extension.state, State.AGREED)
    _check_terms(deployment, extension.exit_on, extension.days)
    check_more_days(deployment, extension.days)
    deployment.exit_on, deployment.days = extension.exit_on, extension.days
    saved(deployment, "exit_on", "days")
    _answer(extension, to, by)
    audit.record(
        "connectedness.agree_extension", by=by, target=deployment, detail=_detail(extension)
    )  # fmt: skip
    tell_all(deployment, "extended", by)
    return extension


@transaction.atomic
def decline_extension(
    extension: DeploymentExtension, *, by: Appointment, why: str
) -> DeploymentExtension:
    """The other school does not agree, and says why; support ends on the day agreed before."""
    extension, deployment = _held(extension, by, of_the_other=True)
    to = states.follow(states.EXTENSION, extension.state, State.DECLINED)
    why = required(why, "why", _("Say why, so that the other school understands."))
    _answer(extension, to, by, why)
    saved(deployment)
    audit.record("connectedness.decline_extension", by=by, target=deployment)
    tell(_proposers(extension), "not_extended", deployment, by=by, **names(deployment))
    return extension


@transaction.atomic
def withdraw_extension(extension: DeploymentExtension, *, by: Appointment) -> DeploymentExtension:
    """Whose school proposed it takes it back before the other has answered."""
    extension, deployment = _held(extension, by, of_the_other=False)
    if extension.state == State.WITHDRAWN:
        return extension  # pressed twice
    _answer(extension, states.follow(states.EXTENSION, extension.state, State.WITHDRAWN), by)
    saved(deployment)
    audit.record("connectedness.withdraw_extension", by=by, target=deployment)
    return extension


def _held(
    extension: DeploymentExtension, by: Appointment, *, of_the_other: bool
) -> tuple[DeploymentExtension, Deployment]:
    """The extension as it stands, its deployment held; refused to whoever is not the side asked.

    What is answered is what was read: the terms of a proposal never change.
    """
    deployment = held_deployment(extension.deployment_id)
    found = DeploymentExtension.objects.select_for_update(no_key=True).get(pk=extension.pk)
    side = queries.side_of(deployment, by)
    if not side or (side != found.side) != of_the_other:
        raise PermissionDenied
    return found, deployment


def _same(
    deployment: Deployment, by: Appointment, exit_on: date, days: Decimal, why: str
) -> DeploymentExtension | None:
    return deployment.extensions.filter(
        state=State.PROPOSED,
        side=queries.side_of(deployment, by),
        exit_on=exit_on,
        days=days,
        why=why.strip(),
    ).first()


def _answer(
    extension: DeploymentExtension, to: DeploymentExtension.State, by: Appointment, why: str = ""
) -> None:
    extension.state, extension.answered_by, extension.answer_why = to, by.label[:300], why
    extension.answered_at = timezone.now()
    extension.save(update_fields=["state", "answered_by", "answered_at", "answer_why"])


def _check_runs(deployment: Deployment) -> None:
    if deployment.state != Deployment.State.RUNNING:
        raise ValidationError(_("This support is over. Where more is wanted, ask anew."))
    check_open(deployment.receiving)
    check_open(deployment.giving)


def _check_terms(deployment: Deployment, exit_on: date, days: Decimal) -> None:
    wrong: dict[str, str] = {}
    if exit_on <= deployment.exit_on:
        wrong["exit_on"] = _("It ends on {day} now. Choose a later day.").format(
            day=date_format(deployment.exit_on)
        )
    elif exit_on < directory.today():
        wrong["exit_on"] = _("{day} is past. Choose a day to come.").format(
            day=date_format(exit_on)
        )
    elif exit_on - deployment.starts > LONGEST:
        wrong["exit_on"] = _("That would be longer than two years. Choose a nearer day.")
    if days < deployment.days:
        wrong["days"] = _("{days} days are agreed already. Name at least as many.").format(
            days=in_days(deployment.days)
        )
    elif days > MOST_DAYS:
        wrong["days"] = _("60 days at most.")
    elif days > (exit_on - deployment.starts).days + 1 and "exit_on" not in wrong:
        wrong["days"] = _("There are fewer days than that between the two dates.")
    if wrong:
        raise ValidationError({field: [words] for field, words in wrong.items()})


def _others(extension: DeploymentExtension) -> list[Person]:
    """The heads of the school that is asked."""
    deployment = extension.deployment
    asked = deployment.giving if _by_receiving(extension) else deployment.receiving
    return list(people.heads_of(asked))


def _proposers(extension: DeploymentExtension) -> list[Person]:
    deployment = extension.deployment
    return list(
        people.heads_of(deployment.receiving if _by_receiving(extension) else deployment.giving)
    )


def _by_receiving(extension: DeploymentExtension) -> bool:
    return extension.side == DeploymentView.Side.RECEIVING


def _detail(extension: DeploymentExtension) -> dict[str, object]:
    return {
        "exit_before": extension.exit_before,
        "exit_on": extension.exit_on,
        "days_before": extension.days_before,
        "days": extension.days,
    }
