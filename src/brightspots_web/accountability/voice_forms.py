"""The forms of consultations: finding one, writing one, answering one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from brightspots_web.accountability import voice_queries as queries
from brightspots_web.accountability import voice_words as words
from brightspots_web.accountability.models import Consultation, VoiceQuestion
from brightspots_web.accountability.voice_actions import (
    LONGEST,
    LONGEST_TEXT,
    MOST_QUESTIONS,
    Draft,
    Question,
)
from brightspots_web.accountability.voice_answer_actions import Given
from brightspots_web.directory.models import Area, Person

DAY = {"type": "date"}
SHOWN = 3
"""So many questions stand open on an empty form; the others are folded."""
Kind = VoiceQuestion.Kind


class ConsultationFilter(forms.Form):
    """What the list is narrowed to; read from the address."""

    q = forms.CharField(label=lazy("Words"), required=False, max_length=200)
    state = forms.ChoiceField(
        label=lazy("How it stands"),
        required=False,
        choices=[("", lazy("all")), *Consultation.State.choices],
    )

    def search(self) -> queries.Search:
        self.is_valid()
        asked = self.cleaned_data
        return queries.Search(asked.get("q", ""), asked.get("state", ""))


class OneOfField(forms.ChoiceField):
    """A row chosen by its key; the cleaned value is the row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows: Mapping[str, Any] = {}

    def offer(self, rows: Iterable[Any], labels: Mapping[int, str] | None = None) -> None:
        self.rows = {str(each.pk): each for each in rows}
        named = ((key, labels[each.pk] if labels else str(each)) for key, each in self.rows.items())
        self.choices = [("", lazy("choose")), *named]

    def clean(self, value: Any) -> Any:
        key = super().clean(value)
        return self.rows[key] if key else None


class ConsultationForm(forms.Form):
    """A consultation as it is written; all of it is fixed once it is open."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    title = forms.CharField(
        label=lazy("What you ask about"),
        max_length=LONGEST["title"],
        help_text=lazy("As people would say it: “The new reading hour: how is it going?”"),
    )
    about = forms.ChoiceField(
        label=lazy("It is about"), widget=forms.RadioSelect, choices=Consultation.About.choices
    )
    policy = forms.CharField(
        label=lazy("The policy, in plain words"),
        max_length=LONGEST["policy"],
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=lazy(
            "What is planned or done, for whom, and what can still be changed by what people say."
        ),
    )
    area = OneOfField(label=lazy("Whose teachers and heads are asked"))
    audience = forms.ChoiceField(
        label=lazy("Who of them"),
        widget=forms.RadioSelect,
        choices=Consultation.Audience.choices,
        initial=Consultation.Audience.BOTH,
    )
    mode = forms.ChoiceField(
        label=lazy("How safe they are"),
        widget=forms.RadioSelect,
        initial=Consultation.Mode.ANONYMOUS,
        choices=[
            (
                Consultation.Mode.ANONYMOUS,
                lazy("Anonymous: nobody can tell whose an answer is"),
            ),
            (
                Consultation.Mode.CONFIDENTIAL,
                lazy("Confidential: the moderator sees own words with the area they come from"),
            ),
        ],
        help_text=lazy("It cannot be changed once it is open, and stands above every form."),
    )
    slices = forms.MultipleChoiceField(
        label=lazy("Shown apart, beside the whole"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            ("role", lazy("teachers and heads")),
            ("area", lazy("the areas one step below")),
        ],
        help_text=lazy(
            "Fixed now. Only what five answers stand behind is shown, and no difference of fewer."
        ),
    )
    closes = forms.DateField(
        label=lazy("Closes on"),
        widget=forms.DateInput(attrs=DAY),
        help_text=lazy("The first day on which nobody can answer any more."),
    )
    answer_due = forms.DateField(
        label=lazy("Answered by"),
        widget=forms.DateInput(attrs=DAY),
        help_text=lazy("Overdue answers stand on the ministry's front page."),
    )
    stakeholder = OneOfField(
        label=lazy("Who owes the answer"),
        help_text=lazy("One senior person: what was done, and what could not be done and why."),
    )
    moderator = OneOfField(
        label=lazy("Who moderates"),
        help_text=lazy(
            "Reads own words before they are shown. Outside the line of who writes and who "
            "answers: neither you, nor who owes the answer, nor an officer over or within the "
            "area."
        ),
    )

    def __init__(
        self,
        *args: Any,
        areas: Sequence[Area],
        seniors: Sequence[Person],
        moderators: Mapping[int, tuple[Person, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._offer("area", areas, None)
        self._offer("stakeholder", seniors, None)
        labels = {key: label for key, (_person, label) in moderators.items()}
        self._offer("moderator", [person for person, _label in moderators.values()], labels)
        for place in range(1, MOST_QUESTIONS + 1):
            self._add_question(place)

    def _offer(self, name: str, rows: Iterable[Any], labels: Mapping[int, str] | None) -> None:
        field = self.fields[name]
        assert isinstance(field, OneOfField)
        field.offer(rows, labels)

    def _add_question(self, place: int) -> None:
        self.fields[f"q{place}_words"] = forms.CharField(
            label=_("Question {n}").format(n=place),
            max_length=LONGEST["words"],
            required=False,
            widget=forms.Textarea(attrs={"rows": 2}),
        )
        self.fields[f"q{place}_kind"] = forms.ChoiceField(
            label=_("How it is answered"),
            choices=Kind.choices,
            required=False,
            initial=Kind.SCALE,
        )
        self.fields[f"q{place}_options"] = forms.CharField(
            label=_("Answers to choose from"),
            max_length=700,
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("Only for “one of a few”: two to six, a line for each."),
        )

    @property
    def about_it(self) -> list[forms.BoundField]:
        return [self[name] for name in ("title", "about", "policy")]

    @property
    def who_and_when(self) -> list[forms.BoundField]:
        named = ("area", "audience", "mode", "slices", "closes", "answer_due", "stakeholder")
        return [self[name] for name in (*named, "moderator")]

    @property
    def question_blocks(self) -> list[dict[str, Any]]:
        """The fields of each question; those in use stand open, and one more."""
        blocks = []
        used = max(
            [place for place in range(1, MOST_QUESTIONS + 1) if self[f"q{place}_words"].value()],
            default=0,
        )
        for place in range(1, MOST_QUESTIONS + 1):
            fields = [self[f"q{place}_{name}"] for name in ("words", "kind", "options")]
            shown = place <= max(SHOWN, used) or any(each.errors for each in fields)
            blocks.append({"n": place, "fields": fields, "shown": shown})
        return blocks

    def draft(self) -> Draft:
        data = self.cleaned_data
        named = ("title", "about", "policy", "area", "audience", "mode", "slices", "closes")
        more = ("answer_due", "stakeholder", "moderator")
        return Draft(**{name: data[name] for name in (*named, *more)}, questions=self._questions())

    def _questions(self) -> list[Question]:
        data = self.cleaned_data
        found = []
        for place in range(1, MOST_QUESTIONS + 1):
            said = data.get(f"q{place}_words", "").strip()
            if said:
                options = data.get(f"q{place}_options", "").splitlines()
                found.append(
                    Question(
                        data.get(f"q{place}_kind") or Kind.SCALE,
                        said,
                        [each.strip() for each in options if each.strip()],
                    )
                )
        return found


def as_it_stands(consultation: Consultation) -> dict[str, Any]:
    """The values of a consultation, for its form."""
    found: dict[str, Any] = {
        name: getattr(consultation, name)
        for name in ("title", "about", "policy", "audience", "mode", "slices")
    }
    found |= {
        "seen": consultation.version,
        "area": str(consultation.area_id),
        "closes": consultation.closes.isoformat(),
        "answer_due": consultation.answer_due.isoformat(),
        "stakeholder": str(consultation.stakeholder_id or ""),
        "moderator": str(consultation.moderator_id or ""),
    }
    return found | questions_of(consultation)


def questions_of(consultation: Consultation) -> dict[str, Any]:
    found = {}
    for place, each in enumerate(consultation.questions.all(), start=1):
        found[f"q{place}_words"] = each.words
        found[f"q{place}_kind"] = each.kind
        found[f"q{place}_options"] = "\n".join(each.options)
    return found


class WithdrawForm(forms.Form):
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    why = forms.CharField(
        label=lazy("Why it is withdrawn"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("Everybody who was asked reads it."),
    )


class AnswerForm(forms.Form):
    """The questions of one consultation, on a phone. Any may be left out."""

    token = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)
    looked = forms.CharField(widget=forms.HiddenInput, required=False, max_length=10)

    def __init__(self, *args: Any, questions: Sequence[VoiceQuestion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = questions
        for each in questions:
            self.fields[f"q{each.pk}"] = _field_for(each)

    def given(self) -> Given:
        options: dict[int, str] = {}
        texts: dict[int, str] = {}
        for each in self.questions:
            said = self.cleaned_data.get(f"q{each.pk}", "")
            if said:
                (texts if each.kind == Kind.TEXT else options)[each.pk] = said
        return Given(options, texts)

    def texts(self) -> list[str]:
        return list(self.given().texts.values())


def _field_for(question: VoiceQuestion) -> forms.Field:
    if question.kind == Kind.TEXT:
        return forms.CharField(
            label=question.words,
            required=False,
            max_length=LONGEST_TEXT,
            widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
            help_text=_("Do not name your school, yourself or a pupil."),
        )
    options = queries.options_of(question)
    labels = words.scale() if question.kind == Kind.SCALE else options
    return forms.ChoiceField(
        label=question.words,
        required=False,
        widget=forms.RadioSelect,
        initial="",
        choices=[*zip(options, labels, strict=True), ("", _("no answer"))],
    )
