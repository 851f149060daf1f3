"""From imported rows to published figures: the only door from this app to the library.

`gather` takes what is imported, `compute` fits and never writes, `keep` and `kept` hold what a run
was made from, so that `compute(kept(run), ...)` gives its figures again.
"""

from brightspots_web.insight.analysis.compute import METHOD, compute
from brightspots_web.insight.analysis.inputs import Inputs, folder_of, gather, keep, kept
from brightspots_web.insight.analysis.outcome import Settings

__all__ = ["METHOD", "Inputs", "Settings", "compute", "folder_of", "gather", "keep", "kept"]
