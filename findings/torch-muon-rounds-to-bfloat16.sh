#!/usr/bin/env bash
# torch 2.13.0, torch.optim.Muon.
# Good guess: an optimiser of float32 parameters computes its update in float32, or has a setting for the precision.
# Seen: the Newton-Schulz iteration runs in bfloat16 on every device, and nothing in the constructor changes that. Every number of
# the update is one of bfloat16's (8 bits of mantissa); on processors that do not multiply bfloat16 natively a step also takes
# about ten times as long as the same iteration in float32.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" - <<'PY'
import inspect

import torch

torch.manual_seed(0)
weight = torch.nn.Parameter(torch.zeros(32, 32))
optimiser = torch.optim.Muon([weight], lr=1.0, weight_decay=0.0)  # a square matrix: the rate is not rescaled
weight.grad = torch.randn(32, 32)
optimiser.step()
update = -weight.detach()
rounded = torch.equal(update, update.bfloat16().float())
settings = list(inspect.signature(torch.optim.Muon).parameters)
print("parameter:", weight.dtype, " gradient:", weight.grad.dtype)
print("every number of the update is one of bfloat16's:", rounded)
print("settings:", settings)
assert weight.dtype == torch.float32 and rounded and "dtype" not in settings, "this has changed"
PY
