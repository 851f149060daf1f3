"""Days that no calendar has a day before: they are refused in words."""

from dataclasses import replace
from datetime import date

import pytest
from django.core.exceptions import ValidationError

from brightspots_web.alignment import agreement_actions as actions
from tests.web import proposal_helpers
from tests.web.world import World


def test_a_cycle_that_ends_before_it_begins_is_refused_in_words(world: World) -> None:
    wanted = replace(proposal_helpers.calendar(), ends=date.min)
    with pytest.raises(ValidationError) as problem:
        actions.make_agreement(wanted, by=world.cast["minister"])
    assert "ends after it has begun" in problem.value.message_dict["ends"][0]
