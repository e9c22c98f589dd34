"""``python -m studio doctor``: what this machine has, what that means, and the one command that adds what is
missing.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from dataclasses import dataclass

from engine.loop.devices import compiler_to_add, cuda_name, torch_threads
from engine.prior.registry import installed, list_priors

GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``add`` is the command that would improve it. ``needed`` ones decide the exit
    code.
    """

    name: str
    value: str
    meaning: str
    good: bool = True
    needed: bool = False
    add: str = ""


def doctor() -> int:
    """Print the report; 0 when the studio can run here, 1 when something it needs is missing."""
    findings = [_python(), *_packages(), _gpu(), *_cuda_packages(), _cores(), _memory(), *_priors()]
    for finding in findings:
        print(_line(finding))
    missing = [finding for finding in findings if finding.needed and not finding.good]
    print()
    print("Something that the studio needs is missing." if missing else "The studio can run on this machine.")
    return 1 if missing else 0


def _line(finding: Finding) -> str:
    mark = "ok " if finding.good else ("NO " if finding.needed else " - ")
    text = f"{mark} {finding.name:<24} {finding.value:<26} {finding.meaning}"
    return text if not finding.add else f"{text}\n{'':<29}add it with: {finding.add}"


def _python() -> Finding:
    good = sys.version_info >= (3, 10)
    return Finding("Python", platform.python_version(), "3.10 or newer is needed", good, needed=True)


def _packages() -> list[Finding]:
    meanings = {
        "torch": "tensors and "
                 "gradients", "numba": "the CPU renderers", "diffusers": "priors from the Hub",
                 "gradio": "the page",
        "viser": "the 3D viewport", "trimesh": "GLB export", "imageio-ffmpeg": "turntable videos",
    }  # fmt: skip
    return [_package(name, meaning, needed=True, add="pip install .") for name, meaning in meanings.items()]


def _package(name: str, meaning: str, *, needed: bool, add: str) -> Finding:
    try:
        return Finding(name, importlib.metadata.version(name), meaning, needed=needed)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "not installed", meaning, good=False, needed=needed, add=add)


def _gpu() -> Finding:
    name = cuda_name()
    if name is not None:
        return Finding("GPU", name, "priors of Stable Diffusion's size run at full speed")
    return Finding(
        "GPU", "none", "toybox runs well on the CPU; Stable Diffusion would take hours", good=False
    )


def _cuda_packages() -> list[Finding]:
    if cuda_name() is None:
        return []
    compiler = shutil.which("nvcc")
    add = 'pip install ".[cuda]"'
    return [
        _package("gsplat", "splats on the GPU", needed=False, add=add),
        _package("nerfacc", "fields on the GPU", needed=False, add=add),
        Finding(
            "nvcc",
            compiler or "not found",
            "compiles gsplat and nerfacc once, some minutes at first use; without it both fall back to "
            "slower renderers",
            good=compiler is not None,
            add="" if compiler else compiler_to_add(),
        ),
    ]


def _cores() -> Finding:
    threads = torch_threads()
    return Finding(
        "CPU",
        f"{os.cpu_count()} cores",
        f"{threads} thread{'s' if threads > 1 else ''} for the prior; one more draws for the page",
    )


def _memory() -> Finding:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return Finding("Memory", "unknown", "a toybox run needs about 2 GiB")
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB
    return Finding("Memory", f"{total:.0f} GiB", "a toybox run needs about 2 GiB", good=total >= 3)


def _priors() -> list[Finding]:
    findings = []
    for entry in list_priors():
        here = installed(entry)
        add = "" if here else f"python -m studio priors --fetch {entry.id}"
        findings.append(Finding(entry.id, "installed" if here else "not installed", entry.title, good=here,
                                needed=entry.family == "toybox", add=add))  # fmt: skip
    return findings
