"""Where: printers at makers' homes, their build plates, and what was last heard of them."""
