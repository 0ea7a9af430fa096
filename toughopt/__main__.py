"""`python -m toughopt` is the command `toughopt`."""

import sys

from toughopt.cli import main

sys.exit(main())
