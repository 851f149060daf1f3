from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class StartForm(forms.Form):
    """What an analysis takes into account; empty means the default."""

    subjects = forms.MultipleChoiceField(
        label=_("Outcomes"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "None ticked means all. Pages show the newest analysis: an outcome left out here is "
            "no longer shown."
        ),
    )
    context = forms.MultipleChoiceField(
        label=_("Circumstances to take into account"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "None ticked means the default: every number known for half of the schools, and every "
            "kind with 2 to 12 different values."
        ),
    )
    delta = forms.FloatField(
        label=_("What counts as markedly better"),
        required=False,
        min_value=0.01,
        max_value=2.0,
        help_text=_(
            "In standard deviations of pupils. Empty means one standard deviation of the true "
            "differences between schools, and 0.10 at least."
        ),
    )

    def __init__(self, *args: Any, subjects: list[str], context: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("subjects", subjects), ("context", context)):
            field = self.fields[name]
            if isinstance(field, forms.MultipleChoiceField):
                field.choices = [(each, each.removeprefix("context:")) for each in choices]
