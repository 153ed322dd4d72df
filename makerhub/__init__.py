"""makerhub: from a hospital's request to the receipt at the ward, on home 3D printers."""
