"""Bringing: allocations, shipments and receipts."""
