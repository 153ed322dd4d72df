"""Deciding: what is still needed, which printer prints what, and who gets which lot."""
