"""`python -m newsletter`, the same as `newsletter`."""

from newsletter.cli import main

main()
