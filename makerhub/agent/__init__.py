"""The program at a maker's home: it dials out to a hub, and starts and follows prints beside the printer."""
