"""Having: lots, inspections and the double-entry ledger."""
