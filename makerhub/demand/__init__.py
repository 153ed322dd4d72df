"""What is needed: supply requests and their lines."""
