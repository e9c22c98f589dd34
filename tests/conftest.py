"""One thread each for torch and numba: on a busy machine a second one makes small tensors slower, not faster."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import torch

torch.set_num_threads(1)
