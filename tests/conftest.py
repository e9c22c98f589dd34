"""One thread each for torch and numba, because a second one makes small tensors slower, and one process for each core."""

import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import pytest
import torch

torch.set_num_threads(1)
MOST_WORKERS = 4  # each may hold 2 GB


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A worker for each core where folders are tested; none for single files, which are done before a worker has started."""
    folders = [argument for argument in config.args if Path(argument).is_dir()]
    return min(os.cpu_count() or 1, MOST_WORKERS) if folders else 0
