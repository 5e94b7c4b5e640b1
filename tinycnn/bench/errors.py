"""How the command ends where it cannot go on."""

import sys
from typing import NoReturn


def stop(message: str) -> NoReturn:
    """End the process with one sentence and code 2."""
    print(message, file=sys.stderr)
    sys.exit(2)
