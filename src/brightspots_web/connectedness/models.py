"""Proposals for partnerships. A partnership that people agreed to stands in the directory."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from brightspots_web.connectedness.contact_models import (
    ConnectednessSettings as ConnectednessSettings,
)
from brightspots_web.connectedness.contact_models import Contact as Contact
from brightspots_web.connectedness.contact_models import IsolationCount as IsolationCount
from brightspots_web.connectedness.contact_models import IsolationStep as IsolationStep
from brightspots_web.connectedness.practice_models import Practice as Practice
from brightspots_web.connectedness.practice_models import PracticeAdoption as PracticeAdoption
from brightspots_web.connectedness.practice_models import PracticeComment as PracticeComment
from brightspots_web.connectedness.practice_models import PracticeFollow as PracticeFollow
from brightspots_web.connectedness.studio_models import ConsultationReply as ConsultationReply
from brightspots_web.connectedness.studio_models import Pin as Pin
from brightspots_web.connectedness.studio_models import ProposalChange as ProposalChange
from brightspots_web.connectedness.support_models import Deployment as Deployment
from brightspots_web.connectedness.support_models import (
    DeploymentExtension as DeploymentExtension,
)
from brightspots_web.connectedness.support_models import DeploymentLog as DeploymentLog
from brightspots_web.connectedness.support_models import DeploymentView as DeploymentView
from brightspots_web.connectedness.support_models import SupportMatch as SupportMatch
from brightspots_web.connectedness.support_models import SupportOffer as SupportOffer
from brightspots_web.connectedness.support_models import SupportRequest as SupportRequest
from brightspots_web.directory.models import Area, Partnership, School


class Proposal(models.Model):
    """What the optimiser proposes for the whole system: people adopt it, or they do not."""

    personal_data = "The name of the person who asked for it or adopted it."
    kept_for = "As long as the system runs."

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        CONSULTING = "consulting", _("with the schools")
        ADOPTED = "adopted", _("adopted")
        WITHDRAWN = "withdrawn", _("withdrawn")

    made_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    name = models.CharField(max_length=200, blank=True)
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT)
    """The area whose schools it covers; none means the whole system."""
    based_on = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reruns"
    )
    """The proposal whose changes and pins it was made from."""
    version = models.PositiveIntegerField(default=1)
    """Goes up with each change, so that nobody changes what somebody else has just changed."""
    consult_until = models.DateField(null=True, blank=True)
    adopt_on = models.DateField(null=True, blank=True)
    """The day from which its partnerships hold, once adopted."""
    job = models.PositiveBigIntegerField(unique=True)
    """The job that made it; makes the job safe to run again."""
    method = models.CharField(max_length=100)
    method_version = models.CharField(max_length=20)
    seed = models.BigIntegerField()
    input_hash = models.CharField(max_length=64)
    settings = models.JSONField(default=dict)
    objective = models.JSONField(default=dict)
    """Each part of the total, in kilometres of travel."""
    lower_bound = models.FloatField(null=True)
    gap = models.FloatField(null=True)
    seconds = models.JSONField(default=dict)
    n_schools = models.PositiveIntegerField()
    n_partnerships = models.PositiveIntegerField()
    n_isolated = models.PositiveIntegerField()
    adopted_at = models.DateTimeField(null=True)
    adopted_by = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Proposal {self.pk}: {self.n_partnerships} partnerships"


class ProposedMember(models.Model):
    personal_data = "None: it names schools."
    kept_for = "As long as the proposal."

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="members")
    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="+")
    partnership = models.CharField(max_length=40)
    lead_school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="+")
    distance_km = models.FloatField(null=True)
    exception = models.CharField(max_length=300, blank=True)
    """Why it is here against a rule, on request; "" where every rule is kept."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "school"], name="one_proposed_partnership_a_school"
            )
        ]

    def __str__(self) -> str:
        return f"{self.school} in {self.partnership}"


class Isolation(models.Model):
    """A school that no partnership could take, and why; kept open until a partnership does."""

    personal_data = "None: it names schools."
    kept_for = "As long as the proposal."

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="isolations")
    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="isolations")
    reason = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "school"], name="one_reason_a_school_and_proposal"
            )
        ]

    def __str__(self) -> str:
        return f"{self.school}: {self.reason}"


class Variability(models.Model):
    """How much a partnership's schools truly differ in an outcome, sampling noise taken out."""

    personal_data = "None: aggregates of at least three schools."
    kept_for = "Until the next analysis."

    partnership = models.ForeignKey(
        Partnership, on_delete=models.CASCADE, related_name="variability"
    )
    run = models.UUIDField()
    """The analysis whose figures it was made from."""
    subject = models.CharField(max_length=100)
    n_schools = models.PositiveIntegerField()
    spread = models.FloatField()
    """Standard deviation between schools, in pupil SD."""
    lower = models.FloatField(null=True)
    upper = models.FloatField(null=True)

    class Meta:
        verbose_name_plural = _("variability")
        constraints = [
            models.UniqueConstraint(
                fields=["partnership", "subject"], name="variability_once_a_partnership"
            )
        ]

    def __str__(self) -> str:
        return f"{self.partnership}, {self.subject}: {self.spread:.2f}"
