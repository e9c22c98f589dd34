#!/usr/bin/env bash
# numba 0.68.1 (with numpy 2.4.6) and one line that scales some rows of a matrix in place: m[:2] *= 2.0.
#
# Good guess: a slice that is scaled costs about what its two loops cost, to run and to compile.
# Seen: it runs alike and compiles some forty times as long (5.3 against 0.14 seconds of one core), because what is assigned to a slice may
#   not fit it, and the words of that error, both shapes in them, are formatted by code that is compiled into the kernel: strings, joins,
#   repr of tuples. A first start that compiles thirty kernels pays this once for each kernel file. Scale in NumPy before the kernel, or loop.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q numba==0.68.1 numpy==2.4.6
cat > compile_times.py <<'PY'
import time

import numba
import numpy as np


def by_loops(m):
    for i in range(2):
        for j in range(m.shape[1]):
            m[i, j] *= 2.0
    return m


def by_slice(m):
    m[:2] *= 2.0
    return m


def first_call_seconds(function):
    kernel, matrix = numba.njit(function), np.eye(3)
    began = time.process_time()
    result = kernel(matrix)
    return time.process_time() - began, result


numba.njit(lambda m: m[0, 0])(np.eye(3))  # what every first kernel waits for
loops, slow = first_call_seconds(by_loops), first_call_seconds(by_slice)
assert (loops[1] == slow[1]).all(), "they compute the same"
ratio = slow[0] / loops[0]
print(f"two loops: {loops[0]:.2f} s, one slice: {slow[0]:.2f} s of one core until the first result, {ratio:.0f} times as long")
raise SystemExit(0 if ratio > 8 else "it changed: a slice compiles about as fast as loops")
PY
env/bin/python compile_times.py
