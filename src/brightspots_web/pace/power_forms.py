"""The forms of readiness and powers."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.directory import queries as directory
from brightspots_web.pace.models import GateSettings
from brightspots_web.pace.power_models import Power
from brightspots_web.shared.forms import SeenForm, long_text

DAY = {"type": "date"}


class AskForm(forms.Form):
    words = long_text(
        _("How do you see yourselves?"),
        _("What you could carry, what you would need, and what figures cannot say."),
        2000,
        6,
    )


class GateForm(SeenForm):
    ready = forms.ChoiceField(
        label=_("What do you say?"),
        widget=forms.RadioSelect,
        choices=[("yes", _("Ready")), ("no", _("Not yet"))],
    )
    answer = long_text(
        _("In kind words: why, and what would help next"),
        _("Everybody there reads it. Where something is missing, say what you do about it."),
        1000,
        4,
    )


class OfferForm(forms.Form):
    power = forms.ChoiceField(label=_("Which power"), widget=forms.RadioSelect)
    starts = forms.DateField(
        label=_("From which day"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    why = long_text(_("Why"), _("Everybody there reads it."), 500)
    why_before = long_text(
        _("Why before it was found ready"),
        _("Only where it has not been found ready: it is marked, and may feel too fast."),
        500,
        required=False,
    )

    def __init__(self, *args: Any, powers: Sequence[Power], ready: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["power"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.value, each.label) for each in powers]
        if ready:
            del self.fields["why_before"]


class AnswerForm(SeenForm):
    accepts = forms.ChoiceField(
        label=_("Do you take it on?"),
        widget=forms.RadioSelect,
        choices=[("yes", _("We take it on")), ("no", _("Not now"))],
    )
    words = long_text(
        _("In a few words"), _("Needed for “not now”: what would have to be different?"), 500,
        required=False,
    )  # fmt: skip


class WhyForm(SeenForm):
    why = long_text(_("Why"), _("Everybody there reads it."), 500)


class TakeBackForm(WhyForm):
    support = long_text(
        _("What support do you offer with it?"),
        _("Taking something back without help hurts: say who helps, and when."),
        500,
    )


class SettingsForm(SeenForm):
    meetings = forms.IntegerField(
        label=_("Meetings in the last twelve months"), min_value=0, max_value=12
    )
    schools_share = forms.IntegerField(
        label=_("Of 100 schools (in an area: partnerships), so many do it"),
        min_value=0,
        max_value=100,
    )
    kept_share = forms.IntegerField(
        label=_("Of 100 decided steps that fell due, so many are done"),
        min_value=0,
        max_value=100,
    )
    wait_days = forms.IntegerField(
        label=_("Ready for longer than so many days without a further power is marked"),
        min_value=14,
        max_value=730,
    )
    answer_days = forms.IntegerField(
        label=_("A question or an offer unanswered for so many days is reminded of"),
        min_value=3,
        max_value=180,
    )
    names = ("meetings", "schools_share", "kept_share", "wait_days", "answer_days")

    @classmethod
    def of(cls, found: GateSettings) -> "SettingsForm":
        initial = {name: getattr(found, name) for name in cls.names}
        return cls(initial=initial | {"seen": found.version})

    def given(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in self.names}
