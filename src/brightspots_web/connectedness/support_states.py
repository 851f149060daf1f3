"""What may follow what, from asking for support to its end. Nothing else changes a state."""

from collections.abc import Mapping
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.utils.translation import gettext as _

from brightspots_web.connectedness.models import (
    Deployment,
    DeploymentExtension,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)

Kind = TypeVar("Kind", bound=TextChoices)

REQUEST: Mapping[SupportRequest.State, frozenset[SupportRequest.State]] = {
    SupportRequest.State.ASKED: frozenset(
        {SupportRequest.State.READY, SupportRequest.State.WITHDRAWN}
    ),
    SupportRequest.State.READY: frozenset(
        {SupportRequest.State.MATCHED, SupportRequest.State.WITHDRAWN}
    ),
    # Back to the queue where the giver cannot come after all.
    SupportRequest.State.MATCHED: frozenset(
        {
            SupportRequest.State.READY,
            SupportRequest.State.MET,
            SupportRequest.State.WITHDRAWN,
        }
    ),
    SupportRequest.State.MET: frozenset(),
    SupportRequest.State.WITHDRAWN: frozenset(),
}

OFFER: Mapping[SupportOffer.State, frozenset[SupportOffer.State]] = {
    SupportOffer.State.OPEN: frozenset({SupportOffer.State.PAUSED, SupportOffer.State.WITHDRAWN}),
    SupportOffer.State.PAUSED: frozenset({SupportOffer.State.OPEN, SupportOffer.State.WITHDRAWN}),
    SupportOffer.State.WITHDRAWN: frozenset(),
}

MATCH: Mapping[SupportMatch.State, frozenset[SupportMatch.State]] = {
    SupportMatch.State.SUGGESTED: frozenset(
        {
            SupportMatch.State.ACCEPTED,
            SupportMatch.State.DECLINED,
            SupportMatch.State.WITHDRAWN,
        }
    ),
    SupportMatch.State.ACCEPTED: frozenset({SupportMatch.State.WITHDRAWN}),
    SupportMatch.State.DECLINED: frozenset(),
    SupportMatch.State.WITHDRAWN: frozenset(),
}

EXTENSION: Mapping[DeploymentExtension.State, frozenset[DeploymentExtension.State]] = {
    DeploymentExtension.State.PROPOSED: frozenset(
        {
            DeploymentExtension.State.AGREED,
            DeploymentExtension.State.DECLINED,
            DeploymentExtension.State.WITHDRAWN,
        }
    ),
    DeploymentExtension.State.AGREED: frozenset(),
    DeploymentExtension.State.DECLINED: frozenset(),
    DeploymentExtension.State.WITHDRAWN: frozenset(),
}

DEPLOYMENT: Mapping[Deployment.State, frozenset[Deployment.State]] = {
    Deployment.State.RUNNING: frozenset({Deployment.State.FINISHED, Deployment.State.ENDED}),
    Deployment.State.FINISHED: frozenset(),
    Deployment.State.ENDED: frozenset(),
}

OPEN_REQUEST = (
    SupportRequest.State.ASKED,
    SupportRequest.State.READY,
    SupportRequest.State.MATCHED,
)
LIVE_MATCH = (SupportMatch.State.SUGGESTED, SupportMatch.State.ACCEPTED)


def follow(machine: Mapping[Kind, frozenset[Kind]], now: str, to: Kind) -> Kind:
    """The state that follows, where it may.

    Raises
    ------
    ValidationError
        It cannot follow; the message names both states and what can.
    """
    kind = type(to)
    allowed = machine[kind(now)]
    if to in allowed:
        return to
    if not allowed:
        raise ValidationError(
            _("This is “{state}” already: nothing more can be changed here.").format(
                state=kind(now).label
            )
        )
    raise ValidationError(
        _("From “{state}” it cannot go to “{to}”. What can follow: {allowed}.").format(
            state=kind(now).label,
            to=to.label,
            allowed=", ".join(sorted(str(each.label) for each in allowed)),
        )
    )
