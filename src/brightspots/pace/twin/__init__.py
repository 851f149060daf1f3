"""The twin: a simulated school system with known truth."""

from brightspots.pace.twin.parameters import TwinParameters
from brightspots.pace.twin.system import Twin, pupil_batches, simulate, write_twin

__all__ = ["Twin", "TwinParameters", "pupil_batches", "simulate", "write_twin"]
