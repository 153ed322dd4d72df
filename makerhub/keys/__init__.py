"""Sealing what the database must not tell: printers' keys and makers' addresses, by a key that stands elsewhere."""
