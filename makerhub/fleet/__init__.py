"""Talking to printers, for hub and agent alike: no database, no Flask."""
