"""Hospitals and care homes: what proves that they are what they say, and what they may be promised until then."""
