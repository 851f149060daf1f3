"""How a system agrees on its priorities: calendar, proposals, consultation, ballot."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import Area, Cycle, Indicator, Partnership, School


class Tier(models.TextChoices):
    SCHOOL = "school", _("schools")
    PARTNERSHIP = "partnership", _("partnerships")
    DISTRICT = "district", _("districts")
    MINISTRY = "ministry", _("ministry")


class Agreement(models.Model):
    """The calendar by which a cycle agrees on its priorities, and the weight of each tier's vote.

    Each day named is the first of its phase; a phase lasts until the next begins, the review until
    the cycle ends.
    """

    personal_data = "The name of the person who changed it last."
    kept_for = "As long as the system runs."

    cycle = models.OneToOneField(Cycle, on_delete=models.PROTECT, related_name="agreement")
    propose_from = models.DateField()
    consult_from = models.DateField()
    ballot_from = models.DateField()
    adopt_from = models.DateField()
    work_from = models.DateField()
    review_from = models.DateField()
    weights = models.JSONField(default=dict)
    """Tier -> weight of one vote of it, a whole number of at least 0; schools have at least 1."""
    changed_by = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-propose_from"]
        constraints = [
            models.CheckConstraint(
                name="agreement_phases_in_order",
                condition=Q(propose_from__lt=F("consult_from"))
                & Q(consult_from__lt=F("ballot_from"))
                & Q(ballot_from__lt=F("adopt_from"))
                & Q(adopt_from__lte=F("work_from"))
                & Q(work_from__lt=F("review_from")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.cycle}: calendar"


class PriorityProposal(models.Model):
    """What somebody wants the whole system to get better at, with the need as published."""

    personal_data = "Who proposed it, and their words."
    kept_for = "As long as the system runs."

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("proposed")
        MERGED = "merged", _("merged into another")
        WITHDRAWN = "withdrawn", _("withdrawn")
        ADOPTED = "adopted", _("adopted")
        NOT_ADOPTED = "not_adopted", _("not adopted this time")

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="proposals")
    title = models.CharField(max_length=120)
    why = models.TextField(max_length=2000)
    subject = models.CharField(max_length=200, blank=True)
    """The outcome of the analyses whose figures speak of it; "" when none does."""
    indicators = models.ManyToManyField(Indicator, blank=True, related_name="+")
    drivers = models.TextField(blank=True, max_length=4000)
    """A first driver diagram, as an outline: a line a driver, two blanks deeper for its own."""
    evidence = models.JSONField(default=dict, blank=True)
    """What was published about the need when it was proposed: run, date, counts, areas."""
    tier = models.CharField(max_length=20, choices=Tier.choices)
    school = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    partnership = models.ForeignKey(
        Partnership, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    by = models.CharField(max_length=300)
    appointment = models.CharField(max_length=40)
    at = models.DateTimeField()
    changed_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged"
    )
    closed_why = models.CharField(max_length=500, blank=True)
    """Why it was withdrawn, or not adopted."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title


class MergeWish(models.Model):
    """A wish that two proposals become one: it happens when the authors of both agree."""

    personal_data = "Who wished it, who agreed, and their words."
    kept_for = "As long as the proposals."

    class State(models.TextChoices):
        OPEN = "open", _("waiting for the authors")
        AGREED = "agreed", _("merged")
        DECLINED = "declined", _("declined")

    proposal = models.ForeignKey(
        PriorityProposal, on_delete=models.CASCADE, related_name="merge_wishes"
    )
    """The one that would go into the other."""
    into = models.ForeignKey(
        PriorityProposal, on_delete=models.CASCADE, related_name="merge_wishes_into"
    )
    words = models.CharField(max_length=500, blank=True)
    by = models.CharField(max_length=300)
    appointment = models.CharField(max_length=40)
    at = models.DateTimeField()
    consented_at = models.DateTimeField(null=True, blank=True)
    into_consented_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "into"], condition=Q(state="open"), name="merge_wished_once"
            ),
            models.CheckConstraint(name="merge_of_two", condition=~Q(proposal=F("into"))),
        ]

    def __str__(self) -> str:
        return f"{self.proposal} into {self.into}"


class ProposalComment(models.Model):
    """What a tier says to a proposal, or wants changed in it, and what its author answers."""

    personal_data = "Who said it, and their words."
    kept_for = "As long as the proposal."

    class Kind(models.TextChoices):
        COMMENT = "comment", _("comment")
        AMENDMENT = "amendment", _("amendment")

    proposal = models.ForeignKey(
        PriorityProposal, on_delete=models.CASCADE, related_name="comments"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    tier = models.CharField(max_length=20, choices=Tier.choices)
    words = models.TextField(max_length=2000)
    by = models.CharField(max_length=300)
    appointment = models.CharField(max_length=40)
    at = models.DateTimeField()
    answer = models.TextField(blank=True, max_length=2000)
    taken_up = models.BooleanField(null=True, blank=True)
    """Whether the author took an amendment up; None until answered, and for comments."""
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=300, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.CharField(max_length=300, blank=True)
    hidden_why = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.proposal}: {self.words[:40]}"


class Ballot(models.Model):
    """One vote of the system on the proposals of a cycle: who may vote, how it was counted."""

    personal_data = "Who opened and closed it."
    kept_for = "As long as the system runs."

    agreement = models.OneToOneField(Agreement, on_delete=models.PROTECT, related_name="ballot")
    choices = models.JSONField(default=list)
    """Keys and titles of the proposals in the order in which they stand on the paper, drawn by lot:
    [{"key": 3, "title": "…", "withdrawn": false}, …]."""
    seats = models.PositiveSmallIntegerField(default=3)
    """How many are to be chosen: two or three."""
    seed = models.PositiveBigIntegerField()
    """From which the order was drawn; ties in the count are drawn from it too."""
    weights = models.JSONField(default=dict)
    """Frozen from the agreement when it opened."""
    method = models.CharField(max_length=100, blank=True)
    method_version = models.CharField(max_length=60, blank=True)
    result = models.JSONField(default=dict, blank=True)
    """The count round by round, the chosen, turnout; {} until it closes."""
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=300)
    closes_on = models.DateField()
    """The first day on which nobody can vote any more."""
    reminded = models.JSONField(default=list, blank=True)
    """How many days before the end those who had not voted were reminded: [7, 1]."""
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Ballot of {self.agreement.cycle}"


class Voter(models.Model):
    """Who has a vote in a ballot, and whether it was cast: never what, never when."""

    personal_data = "Whether a school or office voted; not what."
    kept_for = "As long as the ballot."

    ballot = models.ForeignKey(Ballot, on_delete=models.CASCADE, related_name="voters")
    tier = models.CharField(max_length=20, choices=Tier.choices)
    school = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    partnership = models.ForeignKey(
        Partnership, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    """The area it is counted with; of a school, its own."""
    voted = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ballot", "tier", "school", "partnership", "area"],
                name="one_vote_each", nulls_distinct=False,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.school or self.partnership or self.area or self.get_tier_display()}"


class Vote(models.Model):
    """One paper in the urn. Nothing leads from here to the voter: no key, no time, no order.

    The key is drawn by lot, so that the order of the rows is not the order of voting, and all
    papers are written anew, shuffled, when the ballot closes.
    """

    personal_data = "None: it cannot be told whose it is."
    kept_for = "As long as the ballot: anyone may count again."

    id = models.BigAutoField(primary_key=True)
    """Always given by `secrets`, never by the database."""
    ballot = models.ForeignKey(Ballot, on_delete=models.CASCADE, related_name="votes")
    tier = models.CharField(max_length=20, choices=Tier.choices)
    ranking = models.JSONField(default=list)
    """Keys of proposals, the most wanted first; [] is an abstention."""

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_tier_display()}: {self.ranking}"
