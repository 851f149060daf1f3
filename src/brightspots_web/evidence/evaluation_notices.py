"""Adds what evaluations found to the pages of practices; there are no notices of their own.

What waits for whoever publishes stands on the front pages (`evaluation_pages.front_items`).
"""

from brightspots_web.evidence import evaluation_parts  # noqa: F401 - registers the part
