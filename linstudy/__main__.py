"""``python -m linstudy``: the same as the command ``linstudy``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
