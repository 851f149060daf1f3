"""What pace asks of the library."""
