"""What can be made: designs, their versions, parts and components, and everything that turns a mesh into a print."""
