"""From imported rows to published figures: the only door from this app to the library.

`gather` takes what is imported, `compute` fits and never writes, `keep` and `kept` hold what a run
was made from, so that `compute(kept(run), ...)` gives its figures again.
"""

from brightspots_web.insight.analysis.compute import METHOD, compute
from brightspots_web.insight.analysis.diagnostics import keep_diagnostics
from brightspots_web.insight.analysis.formulas import why_not
from brightspots_web.insight.analysis.inputs import Inputs, folder_of, gather, keep, kept
from brightspots_web.insight.analysis.offered import Offered, offered
from brightspots_web.insight.analysis.outcome import Settings
from brightspots_web.insight.analysis.tables import write_stored_tables, zip_tables

__all__ = [
    "METHOD",
    "Inputs",
    "Offered",
    "Settings",
    "compute",
    "folder_of",
    "gather",
    "keep",
    "keep_diagnostics",
    "kept",
    "offered",
    "why_not",
    "write_stored_tables",
    "zip_tables",
]
