"""``python -m studio``: serve the page, or one of the commands that ``--help`` lists."""

import sys

from studio.cli import main

if __name__ == "__main__":
    sys.exit(main())
