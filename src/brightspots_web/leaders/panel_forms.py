from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.leaders.designation_forms import Seen
from brightspots_web.leaders.models import PanelMember
from brightspots_web.leaders.panel_actions import LONGEST, LONGEST_CONFLICT, Decision


class CallForm(forms.Form):
    """Look for somebody to call; read from the address."""

    q = forms.CharField(label=_("Name, school or area"), required=False, max_length=100)


class BoundForm(forms.Form):
    why = forms.CharField(
        label=_("What binds you"),
        max_length=LONGEST_CONFLICT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("A relative, a friend, a dispute: a few words are enough."),
    )


class AsideForm(forms.Form):
    why = forms.CharField(
        label=_("What binds this member"),
        max_length=LONGEST_CONFLICT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ViewForm(forms.Form):
    view = forms.ChoiceField(
        label=_("As you see it"), choices=PanelMember.View.choices, widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Your colleagues on the panel and the ministry read it; the applicant not."),
    )


class DecideForm(Seen):
    """The decision, for the person to read."""

    result = forms.ChoiceField(
        label=_("The decision"),
        choices=[("designated", _("Designated")), ("not_yet", _("Not yet"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The applicant reads it. Begin with what is good."),
    )
    next_steps = forms.CharField(
        label=_("What would make it a yes"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Needed for “not yet”: what to do, and by when to apply again."),
    )

    def __init__(self, *args: Any, cap: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["caseload"] = forms.IntegerField(
            label=_("Most schools at a time"),
            required=False,
            min_value=1,
            max_value=cap,
            help_text=_("Leave it empty for the number that holds for the whole system."),
        )

    def decision(self) -> Decision:
        data = self.cleaned_data
        return Decision(
            data["result"] == "designated", data["reason"], data["next_steps"], data["caseload"]
        )
