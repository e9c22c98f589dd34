"""``python -m engine.benchmark.peak COMMAND ...``: run a command and print its peak memory in bytes.

A process of its own, and a small one: a child's peak begins with what its parent held when it was started. So
this imports nothing of the studio.
"""

from __future__ import annotations

import resource
import subprocess
import sys


def main(command: list[str]) -> int:
    """Returns the command's exit status; prints the largest resident size of it or of a process that it
    waited for.
    """
    status = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
