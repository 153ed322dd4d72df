"""What can be made: designs, their versions, parts and components; geometry, pictures and slicing."""
