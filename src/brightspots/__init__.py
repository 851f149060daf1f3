"""Brightspots: analysis for a self-improving school system."""

__version__ = "0.1.0"
