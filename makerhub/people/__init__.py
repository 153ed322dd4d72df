"""Who: persons, organisations, their memberships, and what a role may do."""
