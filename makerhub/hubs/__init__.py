"""Hubs: what they say of themselves, how one is proposed, found and joined."""
