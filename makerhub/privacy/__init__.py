"""What is held about people: in one register, from which come the export, the erasure, and what is told of both."""
