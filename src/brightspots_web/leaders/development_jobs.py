"""What is done every day: reminders of learning, and what is kept no longer than was said."""

from brightspots_web.leaders import (
    coaching_actions,
    development_keeping_actions,
    development_learning_actions,
)


def every_day() -> dict[str, int]:
    """The worker's work for leaders. Safe to run as often as is handy."""
    return {
        "reminded": development_learning_actions.remind(),
        "coaching_notes": coaching_actions.delete_old_notes(),
        **development_keeping_actions.forget(),
    }
