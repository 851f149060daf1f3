from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory.forms import AreaFilter
from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import finding_queries as queries
from brightspots_web.leaders.designation_forms import choose
from brightspots_web.leaders.finding_actions import LONGEST, LONGEST_WHY
from brightspots_web.leaders.models import Nomination


class FindingFilter(AreaFilter):
    """What the list of who could lead is narrowed to; read from the address."""

    priority = forms.ChoiceField(label=_("Priority"), required=False)
    kind = forms.ChoiceField(
        label=_("Evidence"),
        required=False,
        choices=[
            ("", _("all")),
            (queries.CONFIRMED, _("bright spot that people confirmed")),
            (queries.CANDIDATE, _("candidate for a bright spot")),
            (queries.RISES, _("rises over the years")),
        ],
    )
    standing = forms.ChoiceField(
        label=_("How things stand"),
        required=False,
        choices=[
            ("", _("all")),
            (queries.FREE, _("not asked yet")),
            (queries.ASKED, _("asked or put forward")),
            (queries.NOT_NOW, _("said “not now”")),
            (queries.APPLIES, _("applies")),
            (queries.LEADS, _("leads without designation")),
            (queries.DESIGNATED, _("designated")),
        ],
    )
    field_order = ("priority", "kind", "standing", "area")

    def __init__(self, *args: Any, priorities: Sequence[Priority], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self, "priority", [("", _now("all")), *((p.code, p.title) for p in priorities)])

    def search(self) -> queries.Search | None:
        """None where an area is asked for that cannot be found."""
        if not self.is_valid():
            return None
        data = self.cleaned_data
        return queries.Search(data["area"], data["priority"], data["kind"], data["standing"])


class NominationsFilter(AreaFilter):
    kind = forms.ChoiceField(
        label=_("How"), required=False, choices=[("", _("all")), *Nomination.Kind.choices]
    )
    answer = forms.ChoiceField(
        label=_("Answer"),
        required=False,
        choices=[
            ("", _("all")),
            ("open", _("has not said no")),
            ("not_now", _("said “not now”")),
        ],
    )
    field_order = ("kind", "answer", "area")

    def narrowed(self) -> queries.Narrowed | None:
        if not self.is_valid():
            return None
        data = self.cleaned_data
        return queries.Narrowed(data["kind"], data["area"], data["answer"])


class InviteForm(forms.Form):
    """Would you consider leading?"""

    person = forms.ChoiceField(label=_("Whom would you like to ask?"), widget=forms.RadioSelect)
    priority = forms.ChoiceField(label=_("For which priority"), required=False)
    words = forms.CharField(
        label=_("A word with it"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("May stay empty. The person reads it, and what the figures say."),
    )

    def __init__(
        self,
        *args: Any,
        people: Sequence[Appointment],
        priorities: Sequence[Priority],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(each.person_id): each.person for each in people}
        self.priorities = {each.code: each for each in priorities}
        named = {str(each.person_id): each for each in reversed(people)}
        choose(
            self,
            "person",
            [
                (key, _now("{person}, {role}").format(person=each.person, role=_role(each)))
                for key, each in reversed(named.items())
            ],
        )
        choose(self, "priority", [("", _now("none of them")), *((p.code, p.title)
               for p in priorities)])  # fmt: skip


def _role(held: Appointment) -> str:
    return str(held.get_role_display())


class NominateForm(forms.Form):
    """A colleague should lead, or I would like to."""

    person = forms.ChoiceField(label=_("Who should lead?"))
    words = forms.CharField(
        label=_("Why"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "What have you seen? The person, the officers over the school and the ministry read "
            "it. Name no pupils."
        ),
    )

    MYSELF = "me"

    def __init__(
        self, *args: Any, colleagues: Sequence[Appointment], myself: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(each.person_id): each.person for each in colleagues}
        listed = [
            (
                str(each.person_id),
                _now("{person}, {school}").format(person=each.person, school=each.school),
            )
            for each in colleagues
        ]
        me = _now("myself: {person}").format(person=myself)
        choose(self, "person", [("", _now("choose")), (self.MYSELF, me), *listed])


class NotNowForm(forms.Form):
    why = forms.CharField(
        label=_("A word on it"),
        required=False,
        max_length=LONGEST_WHY,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("May stay empty. Whoever asked and your officers can read it."),
    )
