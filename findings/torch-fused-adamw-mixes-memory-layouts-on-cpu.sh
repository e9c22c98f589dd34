#!/usr/bin/env bash
# torch 2.13.0, torch.optim.AdamW(fused=True) on a CPU.
# Good guess: an optimiser's step does not depend on how a parameter lies in memory, or is refused where it would: on CUDA the same
# mismatch is an error, and without `fused` it does not matter.
# Seen: where a parameter is in channels_last and its gradient is contiguous (gradients kept as views of one flat vector, as
# distributed training does), the fused CPU kernel pairs both in the order of memory. Each weight moves by another weight's gradient;
# nothing is raised, and autograd's own warning about layouts calls it no error but a matter of speed. Training diverges slowly.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "torch==2.13.0" "numpy==2.4.6"
"$work/venv/bin/python" - <<'PY'
import torch

torch.manual_seed(0)
weight, gradients = torch.randn(4, 3, 3, 3), torch.randn(2, 4, 3, 3, 3)


def after_two_steps(layout: torch.memory_format, fused: bool) -> torch.Tensor:
    parameter = torch.nn.Parameter(weight.clone().to(memory_format=layout))
    flat = torch.zeros(weight.numel())
    parameter.grad = flat.view_as(weight)  # contiguous, whatever the parameter is
    optimiser = torch.optim.AdamW([parameter], lr=0.1, weight_decay=0.0, fused=fused)
    for gradient in gradients:
        parameter.grad.copy_(gradient)
        optimiser.step()
    return parameter.detach().contiguous()


reference = after_two_steps(torch.contiguous_format, fused=False)
for layout in (torch.contiguous_format, torch.channels_last):
    for fused in (False, True):
        off = float((after_two_steps(layout, fused) - reference).abs().max())
        print(f"{str(layout):24} fused={fused!s:5}  largest difference {off:.2e}  (two steps of 0.1)")
        wrong = layout is torch.channels_last and fused
        assert (off > 0.1) == wrong, "this has changed"
PY
