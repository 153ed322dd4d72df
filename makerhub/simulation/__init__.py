"""Printers that are not there: a simulated OctoPrint, a launcher for a real one, and what goes with them."""
