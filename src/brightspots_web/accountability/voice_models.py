"""The voice of teachers and heads on policy: asked for, safe, and owed an answer.

Who may answer and what was answered never meet. An answer is sealed before it is stored, with a
key that lies outside the database and is destroyed when the consultation closes; on that day all
answers are opened together, counted, and only counts of five and more and loose, shuffled comments
are kept. See docs/methods/voice.md.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory.models import Area

FEWEST = 5
"""No count, and no remainder, of fewer answers is shown or kept."""


class Consultation(models.Model):
    """A few questions on a policy's design or implementation, and the answer that is owed."""

    personal_data = "Who opened it, and the senior stakeholder who answers."
    kept_for = "Seven years."

    class About(models.TextChoices):
        DESIGN = "design", _("the design of a policy")
        IMPLEMENTATION = "implementation", _("how a policy is carried out")

    class Mode(models.TextChoices):
        ANONYMOUS = "anonymous", _("anonymous")
        CONFIDENTIAL = "confidential", _("confidential")

    class Audience(models.TextChoices):
        TEACHERS = "teachers", _("teachers")
        HEADS = "heads", _("heads")
        BOTH = "both", _("teachers and heads")

    class State(models.TextChoices):
        DRAFT = "draft", _("being written")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed, an answer is owed")
        ANSWERED = "answered", _("answered")
        WITHDRAWN = "withdrawn", _("withdrawn")

    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    """Whose teachers and heads are asked: the whole system's for the ministry."""
    title = models.CharField(max_length=160)
    about = models.CharField(max_length=16, choices=About.choices)
    policy = models.TextField(max_length=2000)
    """What the policy is, in plain words."""
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.BOTH)
    mode = models.CharField(max_length=14, choices=Mode.choices, default=Mode.ANONYMOUS)
    """Fixed once open. Confidential: the moderator may see what was written with its area."""
    slices = models.JSONField(default=list, blank=True)
    """By what answers are shown beside the whole, fixed before opening: "role", "area"."""
    round = models.PositiveSmallIntegerField(default=1)
    follows = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="followed_by"
    )
    """The round before this one."""
    opens = models.DateField()
    closes = models.DateField()
    answer_due = models.DateField()
    stakeholder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    stakeholder_name = models.CharField(max_length=300)
    """The senior person who owes the answer."""
    moderator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    moderator_name = models.CharField(max_length=300)
    """Outside the line of who writes and of who answers."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    withdrawn_why = models.CharField(max_length=500, blank=True)
    key_id = models.UUIDField(null=True, blank=True)
    """Names the file of the sealing key; None before opening and after it was destroyed."""
    asked = models.PositiveIntegerField(default=0)
    """How many people were asked."""
    answers = models.PositiveIntegerField(null=True, blank=True)
    """How many answered; known on closing. Below five nothing more is known."""
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_words = models.TextField(blank=True, max_length=3000)
    look_again = models.BooleanField(default=False)
    """Somebody who reads it asked for a second look at the moderation; never who."""
    reminded = models.CharField(max_length=12, blank=True)
    by = models.CharField(max_length=300)
    opener = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="consultation_closes_after_it_opens", condition=Q(closes__gt=F("opens"))
            ),
            models.CheckConstraint(
                name="consultation_answered_after_it_closes",
                condition=Q(answer_due__gt=F("closes")),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class VoiceQuestion(models.Model):
    """One question of a consultation; fixed once it is open."""

    personal_data = "None."
    kept_for = "As long as the consultation."

    class Kind(models.TextChoices):
        SCALE = "scale", _("agree or disagree, in five steps")
        CHOICE = "choice", _("one of a few")
        TEXT = "text", _("own words")

    consultation = models.ForeignKey(
        Consultation, on_delete=models.CASCADE, related_name="questions"
    )
    order = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=6, choices=Kind.choices)
    words = models.CharField(max_length=300)
    options = models.JSONField(default=list, blank=True)
    """Of a choice: 2 to 6 short answers."""

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation", "order"], name="one_voice_question_a_place"
            )
        ]

    def __str__(self) -> str:
        return self.words


class Eligible(models.Model):
    """Somebody who may answer once; says whether they did, never when or what.

    All rows of a consultation are made together when it opens, in shuffled order.
    """

    personal_data = "Who may answer a consultation, and whether they did."
    kept_for = "Until the consultation closes."

    consultation = models.ForeignKey(
        Consultation, on_delete=models.CASCADE, related_name="eligible"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10)
    """"head" or "teacher", as asked."""
    area = models.ForeignKey(Area, null=True, on_delete=models.SET_NULL, related_name="+")
    """The area one level below the consultation's, for the slices."""
    answered = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["consultation", "person"], name="one_answer_a_person")
        ]
        verbose_name_plural = _("eligible")

    def __str__(self) -> str:
        return f"{self.consultation_id}"


class SealedAnswer(models.Model):
    """One answer, unreadable: no person, no time, no order; gone when the consultation closes."""

    personal_data = "None that can be read: the key lies elsewhere and is destroyed."
    kept_for = "Until the consultation closes."

    id = models.BigAutoField(primary_key=True)
    """Always given by `secrets`, never by the database."""
    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="sealed")
    content = models.BinaryField()
    """Of one length for all of a consultation, so that its size tells nothing."""

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.consultation_id}"


class VoiceTally(models.Model):
    """How many chose one option, in the whole or in a slice; only what may be shown is here."""

    personal_data = "None: counts of five answers and more."
    kept_for = "As long as the consultation."

    question = models.ForeignKey(VoiceQuestion, on_delete=models.CASCADE, related_name="tallies")
    slice = models.CharField(max_length=40)
    """"all", "role:head", "area:12"."""
    option = models.CharField(max_length=200)
    """"1" to "5" of a scale, the words of a choice; "" for the number of answers."""
    n = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "slice", "option"], name="one_tally_an_option"
            )
        ]
        verbose_name_plural = _("voice tallies")

    def __str__(self) -> str:
        return f"{self.question_id}, {self.slice}"


class VoiceComment(models.Model):
    """Words that somebody wrote: tied to the question alone, in an order drawn by lot."""

    personal_data = "Words that may tell who wrote them, until a moderator has read them."
    kept_for = "As long as the consultation; what was withheld one year."

    class State(models.TextChoices):
        UNREAD = "unread", _("to be read by the moderator")
        SHOWN = "shown", _("shown")
        WITHHELD = "withheld", _("withheld")

    class Reason(models.TextChoices):
        IDENTIFIES = "identifies", _("would tell who somebody is")
        PUPIL = "pupil", _("names a pupil")
        ABUSE = "abuse", _("insults or threatens")
        OFF = "off", _("is about something else")

    id = models.BigAutoField(primary_key=True)
    """Always given by `secrets`, never by the database."""
    question = models.ForeignKey(VoiceQuestion, on_delete=models.CASCADE, related_name="comments")
    words = models.TextField(max_length=1000)
    state = models.CharField(max_length=10, choices=State.choices, default=State.UNREAD)
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True)
    reason_words = models.CharField(max_length=300, blank=True)
    area = models.ForeignKey(
        Area, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """Where it was written, for the moderator of a confidential consultation alone; else None."""
    moderated_by = models.CharField(max_length=300, blank=True)
    challenged = models.BooleanField(default=False)
    """A second moderator looked again."""

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="comment_withheld_with_a_reason",
                condition=~Q(state="withheld") | ~Q(reason=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.question_id}"


class ResponsePoint(models.Model):
    """You said; we did; or we could not, because."""

    personal_data = "Who answers."
    kept_for = "As long as the consultation."

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="points")
    said = models.CharField(max_length=300)
    did = models.TextField(blank=True, max_length=1000)
    could_not = models.TextField(blank=True, max_length=1000)
    """Why it could not be done."""
    by = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="response_says_what_was_done_or_why_not",
                condition=~Q(did="") | ~Q(could_not=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.consultation_id}: {self.said}"


class SuggestionSettings(models.Model):
    """The standing box: who answers for an area, and within how many days. One row an area."""

    personal_data = "Who answers and who moderates."
    kept_for = "As long as the system runs."

    area = models.OneToOneField(Area, on_delete=models.CASCADE, related_name="+")
    stakeholder = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    stakeholder_name = models.CharField(max_length=300)
    moderator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    moderator_name = models.CharField(max_length=300)
    answer_days = models.PositiveSmallIntegerField(default=30)
    key_id = models.UUIDField(null=True, blank=True)
    """The key of what waits now; a new one after every release."""
    look_again = models.DateField(null=True, blank=True)
    """Somebody asked for a second look at what was released up to this day; never who."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = _("suggestion settings")

    def __str__(self) -> str:
        return f"{self.area}"


class SuggestionUse(models.Model):
    """How many suggestions somebody has put into the box this month: never which, or when."""

    personal_data = "That somebody made suggestions."
    kept_for = "Until the month ends."

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    month = models.DateField()
    used = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "month"], name="one_count_a_month")
        ]

    def __str__(self) -> str:
        return f"{self.month}"


class SealedSuggestion(models.Model):
    """A suggestion waiting, unreadable, until at least five wait together."""

    personal_data = "None that can be read: the key lies elsewhere and is destroyed."
    kept_for = "Until it is released."

    id = models.BigAutoField(primary_key=True)
    """Always given by `secrets`, never by the database."""
    box = models.ForeignKey(SuggestionSettings, on_delete=models.CASCADE, related_name="sealed")
    content = models.BinaryField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.box_id}"


class Suggestion(models.Model):
    """A suggestion released with at least four others, and the answer it is owed."""

    personal_data = "Words that may tell who wrote them, until a moderator has read them."
    kept_for = "Seven years; what was withheld one year."

    class State(models.TextChoices):
        UNREAD = "unread", _("to be read by the moderator")
        SHOWN = "shown", _("shown, an answer is owed")
        WITHHELD = "withheld", _("withheld")
        ANSWERED = "answered", _("answered")

    id = models.BigAutoField(primary_key=True)
    """Always given by `secrets`, never by the database."""
    box = models.ForeignKey(SuggestionSettings, on_delete=models.CASCADE, related_name="released")
    words = models.TextField(max_length=1000)
    released_on = models.DateField()
    answer_due = models.DateField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.UNREAD)
    reason = models.CharField(max_length=12, choices=VoiceComment.Reason.choices, blank=True)
    reason_words = models.CharField(max_length=300, blank=True)
    moderated_by = models.CharField(max_length=300, blank=True)
    challenged = models.BooleanField(default=False)
    """A second moderator looked again."""
    did = models.TextField(blank=True, max_length=1000)
    could_not = models.TextField(blank=True, max_length=1000)
    answered_by = models.CharField(max_length=300, blank=True)
    answered_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["-released_on", "pk"]
        constraints = [
            models.CheckConstraint(
                name="suggestion_withheld_with_a_reason",
                condition=~Q(state="withheld") | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="suggestion_answered_with_words",
                condition=~Q(state="answered") | ~Q(did="") | ~Q(could_not=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.box_id}, {self.released_on}"
