"""Making: print jobs, the attempts to print them, and what became of each."""
