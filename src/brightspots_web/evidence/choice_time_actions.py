"""What the worker does every hour: write down what began, draw what is due."""

import logging

from django.core.exceptions import ValidationError

from brightspots_web.evidence import choice_draw_actions, choice_record_actions

log = logging.getLogger(__name__)


def look_after() -> int:
    """Everything that is due. It may run as often as is handy: nothing is done twice.

    Places are drawn first, so that help which begins right after is told apart by them.
    """
    done = 0
    try:
        done += choice_draw_actions.look_after()
    except ValidationError as problem:  # one lottery that is stuck must not stop the writing down
        log.error("A lottery could not be looked after: %s", "; ".join(problem.messages))
    return done + choice_record_actions.notice()
