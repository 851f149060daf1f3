"""The forms of decisions: finding, writing down, saying one's word, what is done because of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution.decision_actions import LONGEST, LONGEST_WORDS, Text
from brightspots_web.devolution.decision_queries import Search
from brightspots_web.devolution.models import Decision, DecisionAction
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Area, Person, School
from brightspots_web.shared.forms import long_text, offer

DAY = {"type": "date"}


class PersonField(forms.ChoiceField):
    """Somebody of the partnership, by key; the cleaned value is the person."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.people: Mapping[int, Person] = {}

    def offer(self, people: Mapping[int, Person]) -> None:
        self.people = people
        named = ((str(key), str(each)) for key, each in people.items())
        self.choices = [("", _("choose")), *named]

    def clean(self, value: Any) -> Person | None:
        key = super().clean(value)
        return self.people[int(key)] if key else None


class DecisionFilter(forms.Form):
    """What the list of decisions is narrowed to; read from the address."""

    q = forms.CharField(label=_("Words"), required=False, max_length=200)
    state = forms.ChoiceField(label=_("How it stands"), required=False)
    priority = forms.ChoiceField(label=_("Priority"), required=False)
    mine = forms.BooleanField(label=_("Mine: I own it, or something in it"), required=False)

    def __init__(self, *args: Any, priorities: Sequence[Priority], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "state", [("", _("all")), *Decision.State.choices])
        offer(self, "priority", [("", _("all")), *((p.code, p.title) for p in priorities)])
        if not priorities:
            del self.fields["priority"]

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = self.cleaned_data
        return Search(
            words=asked.get("q", ""),
            state=asked.get("state", ""),
            priority=asked.get("priority", ""),
            mine=asked.get("mine", False),
        )


class DecisionForm(forms.Form):
    """A decision in words."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    question = forms.CharField(
        label=_("The question"),
        max_length=LONGEST["question"],
        help_text=_("What was to be decided: “How do we find early who is stuck in reading?”"),
    )
    priority = forms.ChoiceField(
        label=_("About which priority"),
        required=False,
        help_text=_("What the data of the partnership say of it today is kept with the decision."),
    )
    options = long_text(
        _("What was considered"),
        _("A line for each way you talked about, with what speaks for and against it."),
        3000,
        required=False,
    )
    decision = long_text(
        _("What is decided"),
        _("What will be done, at which schools, with which pupils. Name no pupils."),
        LONGEST["decision"],
        6,
    )
    owner = PersonField(
        label=_("Who owns it"),
        help_text=_("One person who sees to it that it happens; not the one who does it all."),
    )
    by_when = forms.DateField(label=_("By when"), widget=forms.DateInput(attrs=DAY))
    would_change = long_text(
        _("What would make us change our mind"),
        _("What you would have to see, and where: said now, it is believed later."),
        LONGEST["would_change"],
    )

    def __init__(
        self,
        *args: Any,
        people: Mapping[int, Person],
        priorities: Sequence[Priority] = (),
        asks_priority: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {each.code: each for each in priorities}
        owner = self.fields["owner"]
        assert isinstance(owner, PersonField)
        owner.offer(people)
        if not asks_priority:
            del self.fields["priority"]
            return
        offer(self, "priority", [("", _("none of them")), *((p.code, p.title) for p in priorities)])

    def text(self) -> Text:
        data = self.cleaned_data
        return Text(
            question=data["question"],
            decision=data["decision"],
            would_change=data["would_change"],
            options=data["options"].splitlines(),
            owner=data["owner"],
            by_when=data["by_when"],
        )

    def chosen_priority(self) -> Priority | None:
        return self.priorities.get(self.cleaned_data.get("priority", ""))


def as_it_stands(decision: Decision) -> dict[str, Any]:
    """The values of a decision, for its form."""
    return {
        "seen": decision.version,
        "question": decision.question,
        "options": "\n".join(decision.options),
        "decision": decision.decision,
        "owner": str(decision.owner_id or ""),
        "by_when": decision.by_when.isoformat(),
        "would_change": decision.would_change,
    }


class WordForm(forms.Form):
    """What a school says to a decision."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    agrees = forms.ChoiceField(
        label=_("What does your school say?"),
        widget=forms.RadioSelect,
        choices=[("yes", _("We carry it")), ("no", _("We do not carry it"))],
    )
    words = long_text(
        _("In a few words"),
        _("If you do not carry it, say why: the others can answer a reason. Everybody of the "
          "partnership reads it."),
        LONGEST_WORDS,
        3,
        required=False,
    )  # fmt: skip


class WhyForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    why = long_text(_("Why"), _("Everybody of the partnership reads it."), LONGEST_WORDS, 3)


class CloseForm(WhyForm):
    """The reason is needed only where not every school carries it; the action sees to that."""

    why = long_text(
        _("Why it is made all the same"),
        _("It stands on the page beside the objections."),
        LONGEST_WORDS,
        3,
        required=False,
    )


class OwnerForm(forms.Form):
    owner = PersonField(label=_("New owner"))

    def __init__(self, *args: Any, people: Mapping[int, Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, PersonField)
        owner.offer(people)


class ActionForm(forms.Form):
    what = forms.CharField(
        label=_("What is to be done"),
        max_length=300,
        help_text=_("One thing, one person, one day."),
    )
    owner = PersonField(label=_("Who does it"))
    due = forms.DateField(label=_("By when"), widget=forms.DateInput(attrs=DAY))
    school = forms.ChoiceField(label=_("At which school"), required=False)

    def __init__(
        self,
        *args: Any,
        people: Mapping[int, Person],
        schools: Sequence[School],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, PersonField)
        owner.offer(people)
        self.schools = {each.code: each for each in schools}
        offer(self, "school", [("", _("at none in particular")),
                                *((each.code, each.name) for each in schools)])  # fmt: skip

    def chosen_school(self) -> School | None:
        return self.schools.get(self.cleaned_data.get("school", ""))


class ActionChangeForm(OwnerForm):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    due = forms.DateField(label=_("By when"), widget=forms.DateInput(attrs=DAY))


class DoneForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    outcome = long_text(
        _("What came of it"),
        _("Two lines are enough. If it was not done, say so and why: that helps as much."),
        500,
        3,
    )
    on = forms.DateField(
        label=_("On which day"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )


class AreaForm(forms.Form):
    """Which part of the system the figures are for."""

    area = forms.ChoiceField(label=_("Area"), required=False)

    def __init__(self, *args: Any, areas: Sequence[Area], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "area", [(str(each.pk), _label(each)) for each in areas])


def _label(area: Area) -> str:
    """Indented by its place in the tree."""
    return f"{'– ' * area.level}{area.name}"


def initial_of(action: DecisionAction) -> dict[str, Any]:
    return {
        "seen": action.version,
        "owner": str(action.owner_id or ""),
        "due": action.due.isoformat(),
    }
