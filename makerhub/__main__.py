"""`python -m makerhub` is the command line."""

from makerhub.cli import main

main()
