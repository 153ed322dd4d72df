"""Following: from a delivered item back to its G-code, and the invariants that hold in every hub."""
