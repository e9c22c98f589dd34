"""One thread each for torch and numba, because a second one makes small tensors slower, and one process for
each core.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")
# each process that a test starts would compile the whole house again
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
import torch

torch.set_num_threads(1)
sys.dont_write_bytecode = False
MOST_WORKERS = 4  # each may hold 2 GB
LONGEST = (
    *("test_readme.py", "test_page.py", "test_journey.py", "test_coming_back.py", "test_workbench_page.py"),
    *("test_pictures_page.py", "test_shipped_prior.py", "test_real_engine.py", "test_reference_page.py"),
    *(
        "test_imports.py",
        "test_evaluate_command.py",
        "test_runs.py",
        "test_exporting.py",
        "test_restyling.py",
    ),
    *("test_shelf.py", "test_strength_page.py", "test_crafted_calls.py"),
)
"""Files by how long they take, so that no worker is left with one of them when the others have nothing to do
any more.
"""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A worker for each core where folders are tested; none for single files, which are done before a worker
    has started.
    """
    folders = [argument for argument in config.args if Path(argument).is_dir()]
    return min(os.cpu_count() or 1, MOST_WORKERS) if folders else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, all else as it was; ``--dist=loadfile`` hands them out in this order."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
