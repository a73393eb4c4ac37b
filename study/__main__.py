"""`python -m study <verb>`: what the console script `study` does."""

import sys

from study.cli import main

if __name__ == "__main__":
    sys.exit(main(prog="python -m study"))
