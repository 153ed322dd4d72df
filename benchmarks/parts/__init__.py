"""What the benchmarks measure against, and what they share."""
