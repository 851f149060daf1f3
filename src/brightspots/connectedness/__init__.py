"""Partnerships that leave no school out."""
