"""Who really does better, how sure we are, and what is needed."""
