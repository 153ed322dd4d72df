"""What people report of others, who decides about it, and what is held while somebody is kept out of a hub."""
