"""The form of what a school learned."""

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.accountability.ceremony_page_actions import LONGEST_LEARNED
from brightspots_web.accountability.pledge_forms import NamesForm


class LearnedForm(NamesForm):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    learned = forms.CharField(
        label=_("What your school learned"),
        required=False,
        max_length=LONGEST_LEARNED,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "What worked, what did not, and what you would do again. Everybody who reads one of "
            "your promises of this cycle reads it. Name no pupils."
        ),
    )
    field_order = ("seen", "learned", "names_no_pupil")
