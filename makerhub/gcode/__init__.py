"""G-code, read without trust: printer limits, the reader, the interpreter and the guard (pure, for hub and agent)."""
