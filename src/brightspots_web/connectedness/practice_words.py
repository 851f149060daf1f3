"""What is said about practices."""

from collections.abc import Mapping

from django.utils.translation import gettext as _


def changes(data: Mapping[str, str]) -> str:
    """One sentence for each kind of notice about a practice."""
    return {
        "adopted": _("{school} took up “{practice}”."),
        "adapted": _("{school} changed how it uses “{practice}”."),
        "stopped": _("{school} no longer uses “{practice}”, and says why."),
        "resumed": _("{school} took up “{practice}” again."),
        "commented": _("Somebody wrote about “{practice}”."),
        "changed": _("“{practice}” was changed."),
        "published": _("“{practice}” is published."),
        "retired": _("“{practice}” is no longer recommended; its page says why."),
        "drafted": _("“{practice}” of {school} is written up. Have a look and publish it."),
    }[data["event"]].format(school=data.get("school", ""), practice=data.get("practice", ""))
