"""The twin: a simulated school system with known truth."""
