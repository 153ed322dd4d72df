"""Who did what: deeds that change no state, and daily checkpoints by which a log that was tampered with is found."""
