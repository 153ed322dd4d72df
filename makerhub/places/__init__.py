"""Where places are: postcodes and names from files that the operator imports, distances, and cells of a map."""
