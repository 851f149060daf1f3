"""The forms of challenge visits."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.accountability.challenge_actions import LONGEST, Plan
from brightspots_web.accountability.challenge_people_queries import Candidate
from brightspots_web.accountability.challenge_queries import Search
from brightspots_web.accountability.challenge_visit_actions import Offer, Step
from brightspots_web.accountability.models import ChallengeSettings, ChallengeStep, ChallengeVisit
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Area, Person
from brightspots_web.shared.forms import SeenForm, day_field, long_text, offer

BOTH_READ = _("The school, the challenger and whoever plans the visits read it. Name no pupils.")


class WaryForm(SeenForm):
    """Words of which a pupil's name is taken out before they are sent."""

    names_no_pupil = forms.BooleanField(
        label=_("I looked again: no pupil is named"), required=False, widget=forms.HiddenInput
    )

    def ask_to_look_again(self) -> None:
        self.fields["names_no_pupil"].widget = forms.CheckboxInput()


class VisitFilter(forms.Form):
    """What the list of visits is narrowed to; read from the address."""

    q = forms.CharField(label=_("School"), required=False, max_length=200)
    state = forms.ChoiceField(label=_("How it stands"), required=False)
    mine = forms.ChoiceField(label=_("Which part is mine"), required=False)

    def __init__(self, *args: Any, parts: Sequence[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "state", [("", _("all")), *ChallengeVisit.State.choices])
        offer(self, "mine", [("", _("all")), *parts])
        if len(parts) < 2:
            del self.fields["mine"]

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = self.cleaned_data
        return Search(asked.get("q", ""), asked.get("state", ""), asked.get("mine", ""))


class AreaForm(forms.Form):
    area = forms.ChoiceField(label=_("Area"), required=False)

    def __init__(self, *args: Any, areas: Sequence[Area], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.areas = {str(each.pk): each for each in areas}
        named = ((str(each.pk), f"{'– ' * each.level}{each.name}") for each in areas)
        offer(self, "area", [("", _("all")), *named])

    def area_chosen(self) -> Area | None:
        self.is_valid()
        return self.areas.get(self.cleaned_data.get("area", ""))


class ChallengerField(forms.ChoiceField):
    """A challenger from those that are offered; the cleaned value is the person."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.people: Mapping[str, Person] = {}

    def offer(self, candidates: Sequence[Candidate], empty: Any = None) -> None:
        able = [each for each in candidates if each.may_go]
        self.people = {str(each.person.pk): each.person for each in able}
        first = [("", empty)] if empty is not None else []
        self.choices = [*first, *((str(each.person.pk), each.label) for each in able)]

    def clean(self, value: Any) -> Person | None:
        key = super().clean(value)
        return self.people[key] if key else None


class PlanForm(forms.Form):
    """A visit to one school."""

    why = forms.ChoiceField(label=_("Why this school"), choices=ChallengeVisit.Why.choices)
    why_words = long_text(
        _("In a sentence"),
        _("The school reads it first. Say what would be worth a look, not what is wrong."),
        LONGEST["why_words"],
        4,
    )
    on = day_field(_("On which day"))
    challenger = ChallengerField(
        label=_("Who goes"),
        required=False,
        help_text=_(
            "From outside the area and the partnership, without a conflict of interest; those "
            "with the fewest visits stand first."
        ),
    )

    def __init__(self, *args: Any, candidates: Sequence[Candidate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["challenger"]
        assert isinstance(field, ChallengerField)
        field.offer(candidates, _("decide later"))

    def plan(self) -> Plan:
        data = self.cleaned_data
        return Plan(data["why"], data["why_words"], data["on"], data["challenger"])


class AskForm(forms.Form):
    """A school asks for a visit itself."""

    words = long_text(
        _("What would you like somebody from outside to look at?"),
        _("A question you cannot answer from inside is a good one. Name no pupils."),
        LONGEST["why_words"],
        4,
    )
    on = day_field(_("On which day would it suit"))


class ChallengerForm(SeenForm):
    challenger = ChallengerField(label=_("Who goes"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, candidates: Sequence[Candidate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["challenger"]
        assert isinstance(field, ChallengerField)
        field.offer(candidates)


class FindForm(forms.Form):
    q = forms.CharField(
        label=_("Name, school, partnership or area"), required=False, max_length=200
    )


class MoveForm(SeenForm):
    on = day_field(_("New day"))


class SelfViewForm(WaryForm):
    self_view = long_text(
        _("How you see your school"),
        _(
            "What you are proud of, what you are not content with, what you have tried, and what "
            "you would ask somebody from outside. The challenger, and whoever plans the visits, "
            "read it before the visit. Name no pupils."
        ),
        LONGEST["self_view"],
        12,
    )
    field_order = ("self_view", "names_no_pupil", "seen")


class RecordForm(WaryForm):
    """Strengths stand first, and are asked for first."""

    strengths = long_text(
        _("What the school does well"),
        _("What you saw or were shown that others could learn from."),
        LONGEST["strengths"],
        5,
        required=False,  # the action asks for it in words of its own
    )
    record = long_text(
        _("What you asked, and what you were shown"),
        _(
            "Questions, what people said to them, what stayed open. The school, and whoever plans "
            "the visits, read it. Name no pupils."
        ),
        LONGEST["record"],
        10,
    )
    field_order = ("strengths", "record", "names_no_pupil", "seen")


class WordsForm(WaryForm):
    words = long_text(
        _("The school’s own words"),
        _("What you add, or see differently. It stands beside the record, which stays as it is."),
        LONGEST["school_words"],
        5,
    )
    field_order = ("words", "names_no_pupil", "seen")


class StepForm(SeenForm):
    side = forms.ChoiceField(label=_("Who owes it"))
    what = forms.CharField(
        label=_("What is to be done"),
        max_length=300,
        help_text=_("One thing, one person, one day."),
    )
    owner = forms.CharField(label=_("Who does it"), max_length=300)
    due = day_field(_("By when"))

    def __init__(self, *args: Any, sides: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [each for each in ChallengeStep.Side.choices if each[0] in sides]
        offer(self, "side", named)

    def step(self) -> Step:
        data = self.cleaned_data
        return Step(data["what"], data["side"], data["owner"], data["due"])


class AgreeForm(SeenForm):
    follow_up_on = day_field(
        _("On which day do you look again"),
        _("Without a day it is not kept. Both sides, and the challenger, are reminded."),
        required=False,
    )


class OutcomeForm(forms.Form):
    outcome = long_text(
        _("What came of it"),
        _("If it was not done, say so and why: that helps as much."),
        500,
        3,
    )
    on = day_field(_("On which day"), initial=directory.today)


class FollowUpForm(SeenForm):
    words = long_text(
        _("What came of it, on both sides"),
        _("What changed, what did not, and what is worth telling others. Name no pupils."),
        LONGEST["followed_words"],
        6,
    )
    on = day_field(_("On which day did you look again"), initial=directory.today)


class EscalateForm(SeenForm):
    why = long_text(
        _("Why a closer look"),
        _("The school reads it. Say what you are concerned about, and what would change that."),
        LONGEST["why"],
        3,
    )
    support = long_text(
        _("What support comes with it"),
        _("Who, what, how many days. Without support there is no closer attention."),
        1000,
        4,
        required=False,
    )
    priority = forms.ChoiceField(
        label=_("Propose support to the school, at which priority"),
        required=False,
        help_text=_(
            "The request goes to the queue of support once the head agrees. Leave it open where "
            "the support is found already."
        ),
    )
    days = forms.DecimalField(
        label=_("About how many days"),
        min_value=Decimal("0.5"),
        max_value=Decimal(60),
        max_digits=5,
        decimal_places=1,
        initial=5,
        required=False,
        widget=forms.NumberInput(attrs={"step": "0.5", "inputmode": "decimal"}),
    )

    def __init__(self, *args: Any, priorities: Sequence[Priority], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {each.code: each for each in priorities}
        named = ((each.code, each.title) for each in priorities)
        offer(self, "priority", [("", _("no request now")), *named])
        if not priorities:
            del self.fields["priority"], self.fields["days"]

    def offer(self) -> Offer:
        data = self.cleaned_data
        return Offer(
            data["why"],
            data["support"],
            self.priorities.get(data.get("priority", "")),
            data.get("days") or Decimal(5),
        )


class AnswerForm(forms.Form):
    takes = forms.ChoiceField(
        label=_("What does your school say?"),
        widget=forms.RadioSelect,
        choices=[("yes", _("We take the support up")), ("no", _("We go another way"))],
    )
    words = long_text(
        _("In a few words"), _("If you go another way, say which."), 1000, 3, required=False
    )


class WhyForm(SeenForm):
    why = long_text(_("Why"), BOTH_READ, LONGEST["why"], 3)


class ConflictForm(SeenForm):
    why = long_text(
        _("What the conflict of interest is"),
        _(
            "What was written up to now stays on the page of this visit, marked as not used. "
            "Somebody else makes the visit anew."
        ),
        400,
        3,
    )
    challenger = ChallengerField(label=_("Who goes instead"), required=False)

    def __init__(self, *args: Any, candidates: Sequence[Candidate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["challenger"]
        assert isinstance(field, ChallengerField)
        field.offer(candidates, _("decide later"))


class SettingsForm(SeenForm):
    years_between = forms.IntegerField(
        label=_("Every school is visited at least once in so many years"),
        min_value=1,
        max_value=10,
    )
    by_evidence_share = forms.IntegerField(
        label=_("Of 100 suggested visits, so many are chosen by evidence"),
        min_value=0,
        max_value=100,
        help_text=_("The others go by turns: to the schools whose last visit is longest ago."),
    )
    follow_up_days = forms.IntegerField(
        label=_("What was agreed is looked at again after so many days"),
        min_value=14,
        max_value=365,
        help_text=_("It is suggested; both sides agree the day."),
    )
    visits_a_challenger = forms.IntegerField(
        label=_("At most so many visits a challenger in a cycle"), min_value=1, max_value=50
    )
    names = ("years_between", "by_evidence_share", "follow_up_days", "visits_a_challenger")

    @classmethod
    def of(cls, found: ChallengeSettings) -> "SettingsForm":
        initial = {name: getattr(found, name) for name in cls.names}
        return cls(initial=initial | {"seen": found.version})

    def given(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in self.names}


class ProgressFilter(forms.Form):
    q = forms.CharField(label=_("Partnership"), required=False, max_length=200)
