"""What the pages of practices show: the library, one practice, what it is prefilled with."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from brightspots_web.connectedness import practice_journey_pages as journey
from brightspots_web.connectedness import practice_lineage_queries as lineage
from brightspots_web.connectedness import practice_parts
from brightspots_web.connectedness import practice_queries as queries
from brightspots_web.connectedness.models import Practice, PracticeComment
from brightspots_web.connectedness.practice_actions import languages
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.insight import bright_spot_queries, bright_spot_words
from brightspots_web.insight import words as insight_words
from brightspots_web.insight.bright_spot_queries import Spot
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]
State = Practice.State


def url(practice: Practice) -> str:
    return reverse("connectedness:practice", args=[practice.code])


def crumbs(*further: Link | str) -> list[Link]:
    listed = Link(_("Practices"), reverse("connectedness:practices"))
    return [listed, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of(practice: Practice, step: str = "") -> list[Link]:
    if not step:
        return crumbs(practice.title)
    return crumbs(Link(practice.title, url(practice)), step)


# The library


def table(page: Page[Practice], query: str, empty: str) -> Table:
    rows: list[list[Cell]] = [
        [
            _title_cell(each),
            each.school.name,
            each.priority.title if each.priority else _("none of them"),
            reached(each),
            written_in(each),
        ]
        for each in page
    ]  # fmt: skip
    return Table(
        _("Practices"),
        [
            Column(_("Practice")),
            Column(_("Comes from")),
            Column(_("Priority")),
            Column(_("Taken up")),
            Column(_("Written in")),
        ],
        rows,
        exports=export_links("connectedness:practices_export", query=query),
        empty=empty,
    )


def _title_cell(practice: Practice) -> SafeString:
    """Title and summary in the reader's language, and what else there is to know beforehand."""
    shown = in_readers_words(practice)
    return format_html(
        '<a href="{}">{}</a>{}<br><span class="summary soft">{}</span>',
        url(practice),
        shown.title,
        format_html(' <span class="badge unsure">{}</span>', practice.get_state_display())
        if practice.state != State.PUBLISHED
        else "",
        shown.summary,
    )


def in_readers_words(original: Practice) -> Practice:
    """The version whose title the reader understands, where there is one; else the original."""
    wanted = get_language() or ""
    if _speaks(original.language, wanted):
        return original
    return next(
        (each for each in original.translations.all() if _speaks(each.language, wanted)), original
    )


def _speaks(language: str, wanted: str) -> bool:
    """`en` for a reader of `en-gb`, and the other way round."""
    return language.partition("-")[0] == wanted.partition("-")[0]


def reached(practice: Practice) -> str:
    """`4 schools, 3 still use it`."""
    schools, still = getattr(practice, "schools", 0), getattr(practice, "still", 0)
    if not schools:
        return _("by no school yet")
    counted = ngettext("%(n)s school", "%(n)s schools", schools) % {"n": charts.number(schools, 0)}
    if still == schools:
        return counted
    return _("{schools}; {n} still use it").format(schools=counted, n=charts.number(still, 0))


def written_in(practice: Practice) -> str:
    codes = [practice.language, *(each.language for each in practice.translations.all())]
    return ", ".join(language_name(code) for code in codes)


def language_name(code: str) -> str:
    return languages().get(code, code)


def library_columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("title", _("Title")),
        ExportColumn("summary", _("Summary")),
        ExportColumn("school_code", _("Code of the source school")),
        ExportColumn("school", _("Source school")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("state", _("State")),
        ExportColumn("languages", _("Written in")),
        ExportColumn("published", _("Published"), "date"),
        ExportColumn("schools", _("Schools that took it up"), "integer"),
        ExportColumn("still", _("Schools that still use it"), "integer"),
    ]


def library_rows(practices: Iterable[Practice]) -> list[Row]:
    return [
        {
            "code": each.code,
            "title": each.title,
            "summary": each.summary,
            "school_code": each.school.code,
            "school": each.school.name,
            "priority": each.priority.title if each.priority else "",
            "state": str(each.get_state_display()),
            "languages": written_in(each),
            "published": each.published_at,
            "schools": getattr(each, "schools", 0),
            "still": getattr(each, "still", 0),
        }
        for each in practices
    ]


# One practice


def page(found: Practice, acting: Appointment | None, language: str = "") -> Row:
    """Everything the page of a practice needs; the caller has checked that it may be opened."""
    original = queries.original_of(found)
    versions = queries.versions_of(original, acting)
    shown = _version(found, original, versions, language)
    spot = queries.spot_of(original)
    adoption = lineage.own_adoption(acting, original)
    return {
        "practice": shown,
        "original": original,
        "breadcrumb": crumbs_of(shown),
        "badges": _badges(shown),
        "language_notice": _language_notice(shown, original),
        "other_languages": _other_languages(shown, versions),
        "parts": _parts(shown),
        "facts": _facts(shown, original, acting),
        "figure_now": figure_sentence(spot) if spot else "",
        "spot_url": _spot_url(spot, acting),
        "comments": [
            (each, _may_take_back(each, acting)) for each in queries.comments_on(original, acting)
        ],
        "may_hide": queries.may_hide(acting, original),
        "may_change": queries.may_write_for(acting, original.school),
        "may_publish": shown.state != State.PUBLISHED and queries.may_publish(acting, shown),
        "may_retire": original.state == State.PUBLISHED and queries.may_retire(acting, original),
        "publishers": _publishers(shown),
        "may_adopt": adoption is None and lineage.may_adopt(acting, original),
        "adoption": adoption,
        "follows": acting is not None and queries.is_following(original, acting.person),
        "is_public": original.state in queries.PUBLIC,
        "may_talk": original.state == State.PUBLISHED,
        "further_parts": practice_parts.parts(original, acting),
        **journey.part(original, acting),
    }


def _version(
    found: Practice, original: Practice, versions: Sequence[Practice], language: str
) -> Practice:
    """The language asked for, else the one opened if it is a translation, else the reader's."""
    by_language = {each.language: each for each in versions}
    if language in by_language:
        return by_language[language]
    if found.pk != original.pk:
        return found
    wanted = get_language() or ""
    public = [each for each in versions if each.state in queries.PUBLIC or each.pk == original.pk]
    if _speaks(original.language, wanted):
        return original
    return next((each for each in public if _speaks(each.language, wanted)), original)


def _badges(practice: Practice) -> list[Badge]:
    if practice.state == State.PUBLISHED:
        return []
    return [Badge(str(practice.get_state_display()), "unsure")]


def _language_notice(shown: Practice, original: Practice) -> str:
    wanted = get_language() or ""
    name = language_name(shown.language)
    if not _speaks(shown.language, wanted):
        mine = language_name(wanted.partition("-")[0])
        return _("You read this in {language}: it is not shown in {mine}.").format(
            language=name, mine=mine
        )
    if shown.pk != original.pk:
        return _("This is a translation; it was written in {language}.").format(
            language=language_name(original.language)
        )
    return ""


def _other_languages(shown: Practice, versions: Sequence[Practice]) -> list[Link]:
    return [
        Link(
            language_name(each.language)
            + ("" if each.state in queries.PUBLIC else f" ({each.get_state_display()})"),
            f"{url(queries.original_of(each))}?language={each.language}",
        )
        for each in versions
        if each.pk != shown.pk
    ]


def _parts(practice: Practice) -> list[tuple[str, str, SafeString]]:
    """Key, heading and text of each part that has one."""
    given = (
        ("do", _("What to do"), practice.what_to_do),
        ("takes", _("What it takes"), practice.what_it_takes),
        ("where", _("Where it was found to work"), practice.context),
        ("evidence", _("Evidence so far"), practice.evidence),
    )
    nothing = _("Nothing is written here yet.")
    return [(key, heading, paragraphs(text or nothing)) for key, heading, text in given]


def paragraphs(text: str) -> SafeString:
    """What somebody wrote, line by line."""
    return format_html_join(
        "", "<p>{}</p>", ((line,) for line in text.splitlines() if line.strip())
    )


def _facts(
    shown: Practice, original: Practice, acting: Appointment | None
) -> list[tuple[str, Cell]]:
    school = original.school
    facts: list[tuple[str, Cell]] = [
        (_("Comes from"), school_link(school, acting)),
        (_("Area"), school.area.name),
    ]
    if school.phase:
        facts.append((_("Phase"), school.phase))
    if school.language:
        facts.append((_("Language of the school"), school.language))
    if original.priority:
        facts.append((_("Priority"), original.priority.title))
    facts.append((_("Written by"), shown.written_by))
    if shown.published_at:
        day = date_format(shown.published_at.date())
        facts.append((_("Published"), _("{day}, by {who}").format(day=day, who=shown.published_by)))
    if shown.version > 2 or (shown.version > 1 and not shown.published_at):
        facts.append((_("Last changed"), date_format(shown.changed_at.date())))
    return facts


def school_link(school: School, acting: Appointment | None) -> Cell:
    """The school's page, for those who may open it."""
    if directory.schools_visible_to(acting).filter(pk=school.pk).exists():
        return Link(school.name, reverse("home:school", args=[school.code]))
    return school.name


def _publishers(practice: Practice) -> str:
    if practice.state == State.PUBLISHED:
        return ""
    return ", ".join(str(each) for each in queries.nearest_publishers(practice)[:4])


def _may_take_back(each: PracticeComment, acting: Appointment | None) -> bool:
    return acting is not None and each.appointment == str(acting.pk)


def _spot_url(spot: Spot | None, acting: Appointment | None) -> str:
    if spot is None:
        return ""
    if not bright_spot_queries.schools_open_to(acting).filter(pk=spot.school.pk).exists():
        return ""
    return reverse("insight:bright_spot", args=[spot.school.code, spot.subject])


# What is known of a bright spot before anybody writes


def figure_sentence(spot: Spot) -> str:
    """The newest published figure in words, with how sure it is and its date."""
    if spot.now is None or spot.scale is None or spot.run is None:
        return ""
    figure = bright_spot_words.difference(
        spot.scale, spot.now.estimate, spot.now.lower, spot.now.upper
    )
    return _("{outcome}: {figure}. {n} pupils; {published}.").format(
        outcome=spot.subject,
        figure=figure,
        n=charts.number(spot.now.n, 0),
        published=insight_words.as_of(spot.run),
    )


def prefilled(school: School, spot: Spot | None) -> Row:
    """What is known already, for the form: circumstances and figures as they are published."""
    known = [school.name, school.area.name]
    if spot is None:
        return {"context": ", ".join(known) + "."}
    circumstances = bright_spot_words.circumstances(spot)
    steps = bright_spot_queries.steps_of(spot.kept)
    seen = [
        _("{day}: {note}").format(day=date_format(step.on), note=step.note.strip())
        for step in steps
        if step.note.strip() and step.to_state in {"visited", "confirmed"}
    ]
    context = ", ".join(known) + "." + (f"\n{circumstances}" if circumstances else "")
    return {"context": context, "evidence": "\n".join([figure_sentence(spot), *seen]).strip()}
