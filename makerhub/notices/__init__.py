"""What people are told by mail: letters, a durable outbox, and the channels by which it empties."""
