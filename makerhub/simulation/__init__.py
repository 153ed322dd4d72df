"""Printers that are not there: a simulated OctoPrint, a launcher for a real one, and what tests and the demo need of both."""
