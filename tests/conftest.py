"""One thread each for torch and numba: on a busy machine a second one makes small tensors slower, not faster."""

import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import torch

torch.set_num_threads(1)
