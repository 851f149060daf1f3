"""What the worker does again and again is there to be done."""

import inspect

import pytest
from django.utils.module_loading import import_string
from django_q.models import Schedule

from brightspots_cli.worker import DAILY, EVERY_MINUTE, HOURLY, SCHEDULES


@pytest.mark.parametrize("function", [function for _name, function, _often in SCHEDULES])
def test_what_is_scheduled_is_there_and_needs_nothing_to_begin(function: str) -> None:
    found = import_string(f"brightspots_web.{function}")
    parameters = inspect.signature(found).parameters.values()
    assert all(each.default is not inspect.Parameter.empty for each in parameters)


def test_each_has_a_name_of_its_own_and_a_rhythm_the_queue_knows() -> None:
    names = [name for name, _function, _often in SCHEDULES]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 100 for name in names)  # as long as the queue keeps
    assert (EVERY_MINUTE, HOURLY, DAILY) == (Schedule.MINUTES, Schedule.HOURLY, Schedule.DAILY)
