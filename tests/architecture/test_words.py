"""What people read brands no school and nobody, and puts nothing in an order of worth."""

import re

import pytest

from tests.architecture.house import WEB

BRANDS = re.compile(
    r"""(?<!\bnot\sa\s)\b(?:
        failing | fail(?:ed|s)?\s(?:schools?|heads?|teachers?|leaders?|pupils?)
        | (?:weak|poor|bad|worst|weakest|poorest|best|top|bottom|low|lagging|struggling)(?:est)?
          [ -](?:schools?|heads?|teachers?|leaders?|partnerships?|areas?|districts?)
        | (?:poor|low|under|out|high)[ -]?perform\w*
        | left\sbehind\sschools? | laggards? | losers? | winners?
        | special\smeasures | in\sneed\sof\simprovement | inadequate | unsatisfactory
        | below\sstandard | name\sand\sshame | sham(?:e|ed|ing) | punish\w*
        | league(?:\s|-)?tables? | leaderboards? | scoreboards? | star\srating
        | (?:best|worst)[ -]ranked | rank\sof\s(?:schools?|leaders?)
        | (?:school|leader|partnership|area|district)s?\sranked
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
TEXTS = re.findall(
    r'^msgid(?:_plural)? "(.+)"$', (WEB / "locale/django.pot").read_text(), re.MULTILINE
)


def branding(texts: list[str]) -> list[str]:
    return [text for text in texts if BRANDS.search(text)]


def test_no_text_brands_anybody_or_ranks_them() -> None:
    assert len(TEXTS) > 1000
    assert not branding(TEXTS)


@pytest.mark.parametrize(
    "text",
    [
        "These are failing schools.",
        "The weakest schools come first.",
        "A low-performing district",
        "See the league table",
        "Schools ranked by their pledges",
        "Underperforming leaders",
    ],
)
def test_words_that_brand_are_found(text: str) -> None:
    assert branding([text])


def test_words_that_say_what_was_not_done_are_let_be() -> None:
    assert not branding(["Nobody is ranked.", "This is not a bad school.", "The best day"])
