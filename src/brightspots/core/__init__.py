"""What every part of the library shares: errors, tables, provenance, disclosure, distance."""
