"""What the worker does for scores every day: peers who left before they scored."""

from brightspots_web.accountability import ceremony_actions as actions
from brightspots_web.accountability import ceremony_queries as queries
from brightspots_web.directory.actions import command_line_operator


def look_after() -> int:
    """Mark peers who left, and tell the schools that wait for them; nobody is told twice."""
    gone = queries.peers_who_left()
    if not gone:
        return 0
    by = command_line_operator()
    return sum(actions.leave(each, by=by) for each in gone)
