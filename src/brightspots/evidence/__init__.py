"""What worked: the effect of support, how far it can be trusted, and who has a record of it."""
