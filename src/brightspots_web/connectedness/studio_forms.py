from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.connectedness import studio_queries as queries
from brightspots_web.connectedness.models import ConsultationReply, Pin, Proposal
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import School


class VersionForm(forms.Form):
    """A change to a proposal as the person saw it."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class NoteForm(VersionForm):
    """A change, and why."""

    note = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Optional. It stands in the history of the proposal."),
    )


class WhereForm(forms.Form):
    """Where a school might go; read from the address."""

    school = forms.CharField(widget=forms.HiddenInput)
    to = forms.ChoiceField(label=_("Move it to"))

    def offer(self, choices: list[tuple[str, str]]) -> None:
        to = self.fields["to"]
        assert isinstance(to, forms.ChoiceField)
        to.choices = choices


def school_named(proposal: Proposal, words: str) -> School:
    """The school of the proposal with this code, or with this name if only one has it."""
    text = words.strip()
    found = queries.schools_named(proposal, text)
    if not found:
        raise forms.ValidationError(
            _("There is no school “%(words)s” in this proposal. Write its code or its full name."),
            params={"words": text},
        )
    if len(found) > 1:
        raise forms.ValidationError(
            _("Several schools are called so. Write the code: %(codes)s"),
            params={"codes": ", ".join(school.code for school in found)},
        )
    return found[0]


class PinForm(VersionForm):
    """Something that a new run must keep to."""

    kind = forms.ChoiceField(label=_("What must hold"), choices=Pin.Kind.choices)
    school = forms.CharField(
        label=_("School"), max_length=200, help_text=_("Its code or its full name.")
    )
    other = forms.CharField(
        label=_("Other school"),
        max_length=200,
        required=False,
        help_text=_("The school it must be with, apart from or led by."),
    )

    def __init__(self, *args: Any, proposal: Proposal, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proposal = proposal

    def clean_school(self) -> School:
        return school_named(self.proposal, self.cleaned_data["school"])

    def clean_other(self) -> School | None:
        words = self.cleaned_data["other"]
        if not words or self.cleaned_data.get("kind") == Pin.Kind.LEADS:
            return None
        return school_named(self.proposal, words)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        needs = data.get("kind") != Pin.Kind.LEADS
        if needs and "other" not in self.errors and data.get("other") is None:
            self.add_error("other", _("Name another school."))
        return data


class RerunForm(forms.Form):
    """A new proposal around what people decided."""

    stay_close = forms.BooleanField(
        label=_("Stay close to this proposal where nothing is gained by changing"),
        required=False,
        initial=True,
    )
    keep = forms.MultipleChoiceField(
        label=_("Keep these partnerships exactly as they are"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def offer(self, choices: list[tuple[str, str]]) -> None:
        keep = self.fields["keep"]
        assert isinstance(keep, forms.MultipleChoiceField)
        keep.choices = choices


class ConsultForm(VersionForm):
    """Until when the schools are asked."""

    until = forms.DateField(
        label=_("Schools may answer until"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("That day included. Two weeks or more let heads talk with their teachers."),
    )


class AdoptForm(VersionForm):
    """From when the proposed partnerships hold."""

    on = forms.DateField(
        label=_("The partnerships begin on"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Today or later. Until then the present partnerships hold."),
    )

    def clean_on(self) -> Any:
        day = self.cleaned_data["on"]
        if day < directory.today():
            raise forms.ValidationError(_("This day is past. Choose today or a later day."))
        return day


class ReplyForm(forms.Form):
    """A school's answer."""

    about = forms.CharField(widget=forms.HiddenInput, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    answer = forms.ChoiceField(
        label=_("What does your school say?"),
        widget=forms.RadioSelect,
        choices=[
            (ConsultationReply.Answer.AGREES, _("We agree")),
            (ConsultationReply.Answer.CONCERN, _("Something speaks against it")),
        ],
        error_messages={"required": _("Choose one of the two.")},
    )
    reason = forms.CharField(
        label=_("What speaks against it, or what you would like to add"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Those who prepare the partnerships read this. Name no pupils."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        concern = data.get("answer") == ConsultationReply.Answer.CONCERN
        if concern and not (data.get("reason") or "").strip() and "reason" not in self.errors:
            self.add_error("reason", _("Say in a few words what speaks against it."))
        return data


class BoardFilter(forms.Form):
    """Which partnerships of a proposal are shown."""

    q = forms.CharField(label=_("School's name or code"), required=False, max_length=100)


class CompareForm(forms.Form):
    """What a proposal is compared with; read from the address."""

    other = forms.ChoiceField(label=_("Compare with"))

    def offer(self, choices: list[tuple[str, str]]) -> None:
        other = self.fields["other"]
        assert isinstance(other, forms.ChoiceField)
        other.choices = choices
