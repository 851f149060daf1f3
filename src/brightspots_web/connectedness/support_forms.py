from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness.models import (
    DeploymentLog,
    DeploymentView,
    SupportRequest,
)
from brightspots_web.connectedness.support_lock_actions import LONGEST
from brightspots_web.directory import queries as directory
from brightspots_web.directory.forms import AreaFilter
from brightspots_web.directory.models import School

STEP = {"step": "0.5", "inputmode": "decimal"}
DAY = {"type": "date"}


def _text(label: Any, name: str, hint: Any = "", rows: int = 3, **more: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(
        label=label, max_length=LONGEST[name], widget=widget, help_text=hint, **more
    )


def _days(label: Any, hint: Any = "", initial: float = 5) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=0.5,
        max_value=60,
        max_digits=5,
        decimal_places=1,
        initial=initial,
        help_text=hint,
        widget=forms.NumberInput(attrs=STEP),
    )


class Seen(forms.Form):
    """What the person had in front of them: the version of the row."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)


class AskForm(forms.Form):
    """Four fields, one screen: what would help, at which priority, how much, how soon."""

    priority = forms.ChoiceField(label=_("At which priority"))
    what = _text(_("What would help?"), "what", _("A sentence or two. Name no pupils."), rows=2)
    days = _days(_("About how many days"))
    urgency = forms.ChoiceField(
        label=_("How soon"),
        choices=SupportRequest.Urgency.choices,
        initial=SupportRequest.Urgency.TERM,
    )

    def __init__(self, *args: Any, priorities: list[Priority], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_priorities(self, priorities)


class OfferForm(forms.Form):
    """Four fields, one screen: what the school could share, and how much of it."""

    priority = forms.ChoiceField(label=_("At which priority"))
    what = _text(
        _("What could you share?"), "what", _("A sentence or two. Name no pupils."), rows=2
    )
    days = _days(_("Days a year"), initial=10)
    at_once = forms.IntegerField(
        label=_("Schools at a time, at most"), min_value=1, max_value=20, initial=2
    )

    def __init__(self, *args: Any, priorities: list[Priority], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_priorities(self, priorities)


class EditOfferForm(Seen):
    """What can be changed of an offer; its priority and who comes stay."""

    what = _text(_("What could you share?"), "what", _("A sentence or two. Name no pupils."))
    days = _days(_("Days a year"), initial=10)
    at_once = forms.IntegerField(label=_("Schools at a time, at most"), min_value=1, max_value=20)
    languages = forms.CharField(
        label=_("Languages"),
        max_length=200,
        required=False,
        help_text=_("Several with a comma between them."),
    )
    until = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs=DAY),
        help_text=_("From then on no new school is suggested. Leave it empty for no end."),
    )


class ProposeForm(AskForm):
    """An officer proposes support to a school; its head agrees, or does not."""

    school = forms.CharField(label=_("School’s code"), max_length=60)

    field_order = ("school",)

    def __init__(self, *args: Any, schools: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.schools = schools

    def clean_school(self) -> School:
        found = self.schools.filter(code__iexact=self.cleaned_data["school"].strip()).first()
        if not isinstance(found, School):
            raise forms.ValidationError(
                _("No open school of your area has this code. Find it in the list of schools.")
            )
        return found


def offer_priorities(
    form: forms.Form, priorities: list[Priority], *, narrows: bool = False
) -> None:
    """A form's priorities. The view preselects the one that fits, else the person chooses."""
    field = form.fields["priority"]
    assert isinstance(field, forms.ChoiceField)
    none = _("all") if narrows else _("Choose one")
    field.choices = [("", none), *((str(each.pk), each.title) for each in priorities)]


class QueueFilter(AreaFilter):
    """What the queue is narrowed to; read from the address."""

    priority = forms.ChoiceField(label=_("Priority"), required=False)
    state = forms.ChoiceField(
        label=_("How far"),
        required=False,
        choices=[("", _("all that are open")), *SupportRequest.State.choices],
    )

    def __init__(self, *args: Any, priorities: list[Priority], acting: Any, **kwargs: Any) -> None:
        super().__init__(*args, acting=acting, **kwargs)
        offer_priorities(self, priorities, narrows=True)


class RunningFilter(AreaFilter):
    """What the list of support under way is narrowed to; read from the address."""

    priority = forms.ChoiceField(label=_("Priority"), required=False)
    end = forms.ChoiceField(
        label=_("Its end"),
        required=False,
        choices=[
            ("", _("all")),
            ("soon", _("within two weeks")),
            ("passed", _("the agreed day has passed")),
        ],
    )

    def __init__(self, *args: Any, priorities: list[Priority], acting: Any, **kwargs: Any) -> None:
        super().__init__(*args, acting=acting, **kwargs)
        offer_priorities(self, priorities, narrows=True)


class TriageForm(Seen):
    urgency = forms.ChoiceField(label=_("How soon"), choices=SupportRequest.Urgency.choices)
    note = forms.CharField(
        label=_("Note for other officers"),
        required=False,
        max_length=LONGEST["why"],
        help_text=_("Officers and the ministry read it; schools do not."),
    )


class WhyForm(Seen):
    """A reason, where something is declined or taken back."""

    why = forms.CharField(label=_("Why?"), max_length=LONGEST["why"])

    def __init__(self, *args: Any, hint: Any = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["why"].help_text = hint


class TermsForm(Seen):
    """What both sides agreed on."""

    aim = _text(_("What shall be different at the end?"), "aim")
    days = _days(_("Days"))
    starts = forms.DateField(
        label=_("From"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    exit_on = forms.DateField(
        label=_("It ends on"),
        widget=forms.DateInput(attrs=DAY),
        help_text=_("Support is for a time; the school then goes on by itself."),
    )


class ExtendForm(Seen):
    """A later end, for the other school to agree to."""

    exit_on = forms.DateField(
        label=_("It ends on"),
        widget=forms.DateInput(attrs=DAY),
        help_text=_("Later than agreed now. It holds once the other school agrees."),
    )
    days = _days(_("Days in all"), _("Those agreed before included; they may stay as they are."))
    why = forms.CharField(
        label=_("Why?"),
        max_length=LONGEST["why"],
        help_text=_(
            "Both schools, the officers and the partnership’s leader read it. Name no pupils."
        ),
    )


class LogForm(forms.Form):
    kind = forms.ChoiceField(label=_("What"), choices=DeploymentLog.Kind.choices)
    on = forms.DateField(
        label=_("On which day"), widget=forms.DateInput(attrs=DAY), initial=directory.today
    )
    days = forms.DecimalField(
        label=_("Days it took"),
        min_value=0.1,
        max_value=5,
        max_digits=4,
        decimal_places=2,
        initial=1,
        widget=forms.NumberInput(attrs={"step": "0.05", "inputmode": "decimal"}),
    )
    note = _text(
        _("Coaching note"),
        "note",
        _("Only the two schools read it, never officers or the ministry. Name no pupils."),
        required=False,
    )


class ReportForm(Seen):
    report = _text(
        _("What was done, what changed, what does the school go on with?"),
        "report",
        _("Both schools, the officers and the partnership’s leader read it. Name no pupils."),
        rows=6,
    )


class EndForm(WhyForm):
    still_wanted = forms.BooleanField(
        label=_("The school still wants support: put its request back in the queue"),
        required=False,
        initial=True,
    )


class ViewForm(forms.Form):
    worth = forms.TypedChoiceField(
        label=_("What was the support worth to your school?"),
        choices=DeploymentView.Worth.choices,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of these.")},
    )
    words = _text(
        _("In your words"),
        "words",
        _("The other school reads this after saying its own, or after 14 days. Nobody else does."),
        required=False,
    )


def priority_of(form: forms.Form, priorities: list[Priority]) -> Priority:
    """The priority chosen in a valid form."""
    return next(each for each in priorities if str(each.pk) == form.cleaned_data["priority"])
