"""The forms of peer reviews up to the visit."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from brightspots_web.accountability.models import PeerReview
from brightspots_web.accountability.review_actions import LONGEST, SelfReview, Visit
from brightspots_web.accountability.review_people_queries import Candidate
from brightspots_web.accountability.review_queries import Search
from brightspots_web.alignment.models import Priority
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared.forms import SeenForm, long_text, offer

DAY = {"type": "date"}


class ReviewFilter(forms.Form):
    """What the list is narrowed to; read from the address."""

    q = forms.CharField(label=_("School or question"), required=False, max_length=200)
    state = forms.ChoiceField(label=_("How it stands"), required=False)
    mine = forms.ChoiceField(label=_("Which part is mine"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "state", [("", _("all")), *PeerReview.State.choices])
        mine = [("", _("all")), ("host", _("my school is the host")), ("team", _("I am asked"))]
        offer(self, "mine", mine)

    def search(self) -> Search:
        """What the form asks for; what makes no sense is left out."""
        self.is_valid()
        asked = self.cleaned_data
        return Search(asked.get("q", ""), asked.get("state", ""), asked.get("mine", ""))


class SelfReviewForm(SeenForm):
    """The host's question and its own view."""

    question = forms.CharField(
        label=_("Our question"),
        max_length=LONGEST["question"],
        required=False,
        help_text=_(
            "One question that peers can help you answer by looking. For example: how do we find "
            "early who is stuck in reading?"
        ),
    )
    priority = forms.ChoiceField(label=_("About which priority"), required=False)
    strengths = long_text(
        _("What we do well"),
        _("Begin with it: peers look here first."),
        LONGEST["words"],
        required=False,
    )
    to_improve = long_text(
        _("What we want to get better at"),
        _("Your own view, before anybody else looks. Name no pupils."),
        LONGEST["words"],
        required=False,
    )
    evidence = long_text(
        _("What this rests on"),
        _("Exercise books, results, a talk with teachers: what did you look at?"),
        LONGEST["words"],
        3,
        required=False,
    )
    names_no_pupil = forms.BooleanField(
        label=_("I looked again: no pupil is named"), required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, priorities: Sequence[Priority], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.priorities = {str(each.pk): each for each in priorities}
        named = ((key, str(each)) for key, each in self.priorities.items())
        offer(self, "priority", [("", _("none in particular")), *named])

    def ask_to_look_again(self) -> None:
        self.fields["names_no_pupil"].widget = forms.CheckboxInput()

    def given(self) -> SelfReview:
        data = self.cleaned_data
        return SelfReview(
            data["question"],
            data["strengths"],
            data["to_improve"],
            data["evidence"],
            self.priorities.get(data["priority"]),
        )


class FindForm(forms.Form):
    """Look for somebody by name or school; read from the address."""

    q = forms.CharField(label=_("Name or school"), required=False, max_length=200)


class PeerForm(forms.Form):
    """Whom to ask."""

    person = forms.ChoiceField(label=_("Whom do you ask"), widget=forms.RadioSelect)
    leads = forms.BooleanField(
        label=_("Ask this peer to lead the team"),
        required=False,
        help_text=_("The one who leads keeps the time and writes the findings down with the team."),
    )

    def __init__(self, *args: Any, candidates: Sequence[Candidate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        able = [each for each in candidates if each.may_come]
        self.people: Mapping[str, Person] = {str(each.person.pk): each.person for each in able}
        offer(self, "person", [(str(each.person.pk), each.label) for each in able])

    def clean_person(self) -> Person:
        return self.people[self.cleaned_data["person"]]


class VisitForm(SeenForm):
    """The days of the visit."""

    on = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs=DAY))
    until = forms.DateField(
        label=_("Last day"),
        widget=forms.DateInput(attrs=DAY),
        required=False,
        help_text=_("Leave it empty for a visit of one day."),
    )
    plan = long_text(
        _("What happens when"),
        _("Which lessons, whom to talk to, when the team sits together."),
        LONGEST["plan"],
        required=False,
    )

    def given(self) -> Visit:
        data = self.cleaned_data
        return Visit(data["on"], data["until"], data["plan"])


class WhyForm(SeenForm):
    why = long_text(_("Why"), _("A sentence; the host and the team read it."), LONGEST["why"], 2)


class AnswerForm(forms.Form):
    """What a peer answers who was asked."""

    answer = forms.ChoiceField(
        label=_("Your answer"),
        widget=forms.RadioSelect,
        choices=[
            ("yes", _("I come, and nothing stands between me and this school")),
            ("no", _("I cannot come")),
            ("conflict", _("I had better not: there is a conflict of interest")),
        ],
    )
    why = forms.CharField(
        label=_("The conflict, in a few words"),
        required=False,
        max_length=LONGEST["why"],
        help_text=_("Only for the last answer: I am a cousin of the head, for example."),
    )


class ConflictForm(forms.Form):
    """A conflict of interest that was found later."""

    seat = forms.ChoiceField(label=_("Who stands down"))
    why = long_text(
        _("What stands between them"),
        _("A few words; the host and the team read it. What was written by then is marked."),
        LONGEST["why"],
        2,
    )

    def __init__(self, *args: Any, seats: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "seat", seats)


class ChampionForm(forms.Form):
    """Who helps schools turn findings into change."""

    who = forms.ChoiceField(label=_("Who"))
    good_at = forms.CharField(
        label=_("What they are good at"),
        max_length=300,
        help_text=_("For example: leads a talk in which everybody speaks."),
    )

    def __init__(self, *args: Any, people: Sequence[Appointment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {str(each.pk): each for each in people}
        offer(self, "who", [(key, each.label) for key, each in self.people.items()])

    def clean_who(self) -> Appointment:
        return self.people[self.cleaned_data["who"]]
