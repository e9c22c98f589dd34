"""``python -m studio space OUT``: a folder that is a Hugging Face Space, with the program inside; nothing
else is needed there.

Facts of Spaces: the README's front matter says which kind it is; requirements.txt is installed before the
other files are there, so that it names packages alone; the page is asked for at port 7860, behind TLS and in
a frame; the disk is forgotten at each restart unless a persistent one is mounted at /data
(https://huggingface.co/docs/hub/spaces-config-reference).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from engine.assets.export.files import atomic_path
from engine.errors import InputError, StorageError, storage_errors
from engine.shipped import installed_version, presets_folder

PORT = 7860
PYTHON = "3.11"
ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = ("__pycache__", "*.pyc")


@dataclass(frozen=True)
class Mode:
    """``hardware`` is what the Hub is asked to suggest; ``further`` are packages beside the studio's own."""

    name: str
    hardware: str
    title: str
    further: tuple[str, ...] = ()


MODES = {
    "cpu": Mode("cpu", "cpu-upgrade", "Maquette on two cores"),
    "gpu": Mode("gpu", "t4-small", "Maquette"),
    "zero": Mode("zero", "zero-a10g", "Maquette on ZeroGPU", ("spaces>=0.40",)),
}
SAYS = {
    "cpu": "Everything runs with **toybox**, the small prior that comes along, on the Space's processor: a "
    "shape in seconds.",
    "gpu": "The whole studio on the Space's own GPU. Priors of the Hub are fetched in the page, after "
    "consent.",
    "zero": "Runs are cut into short calls of a shared GPU, with all of their state kept between them. "
    "Sliders act from the next "
    "call on; each call counts against the visitor's daily quota, and a run waits when that is used up.",
}

APP = '''"""Starts the studio as this Space; see README.md."""

from studio.space.start import start

start({mode!r})
'''
DOCKERFILE = f"""FROM python:{PYTHON}-slim
RUN useradd -m -u 1000 user && mkdir -p /data && chown user /data
USER user
ENV PATH=/home/user/.local/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /home/user/app
COPY --chown=user requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY --chown=user . .
EXPOSE {PORT}
CMD ["python", "app.py"]
"""


def write_space(out: Path, mode: str, requirements: Sequence[str]) -> Path:
    """Write the Space into the new or empty folder ``out``. Raises InputError or StorageError."""
    if mode not in MODES:
        raise InputError(f"--mode is {mode!r}.", f"Choose one of {', '.join(MODES)}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StorageError(
            f"{out} exists and is not empty.", "Name a new folder; nothing in it is overwritten."
        )
    chosen = MODES[mode]
    texts = {
        "README.md": readme(chosen),
        "requirements.txt": "\n".join([*requirements, *chosen.further]) + "\n",
        "app.py": APP.format(mode=mode),
        "Dockerfile": DOCKERFILE,
        ".gitattributes": "*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.npz filter=lfs diff=lfs "
        "merge=lfs -text\n",
    }
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with atomic_path(out / name) as path:
                path.write_text(text, encoding="utf-8")
        for package in ("engine", "studio"):
            shutil.copytree(
                ROOT / package, out / package, ignore=shutil.ignore_patterns(*LEFT_OUT, "presets")
            )
        shutil.copytree(presets_folder(), out / "presets", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(_licence(), out / "LICENSE")
    return out


def readme(mode: Mode) -> str:
    """Front matter for the Hub, and what a visitor should know."""
    return f"""---
title: {mode.title}
emoji: 🏺
colorFrom: green
colorTo: gray
sdk: gradio
sdk_version: {_version("gradio")}
python_version: "{PYTHON}"
app_file: app.py
license: apache-2.0
pinned: false
suggested_hardware: {mode.hardware}
short_description: Words and pictures into 3D, steered while it takes shape
tags: [text-to-3d, image-to-3d, gaussian-splatting, score-distillation]
---

# {mode.title}

{SAYS[mode.name]}

**What stays.** Runs lie in `/data` where the Space has persistent storage, and survive a restart there;
without it they last until the Space sleeps. Download what you want to keep: every file holds the recipe
that made it.

**As a Docker Space** use `sdk: docker` and `app_port: {PORT}` in place of the three `sdk`, `python_version`
and `app_file` lines; the Dockerfile is here.

**Elsewhere**: `pip install -r requirements.txt && python app.py`, behind a proxy with
`GRADIO_ROOT_PATH=/prefix`.
"""


def studio_requirements() -> list[str]:
    """The studio's own packages, as its metadata or pyproject.toml name them, without extras. Raises
    InputError.
    """

    try:
        named = requires("maquette") or []
    except PackageNotFoundError as error:
        raise InputError(
            "Maquette is not installed, so its packages are not known.", "Run pip install -e . first."
        ) from error
    return sorted(each for each in named if "extra ==" not in each)


def _licence() -> Path:
    here = ROOT / "LICENSE"
    return here if here.is_file() else next(ROOT.glob("maquette-*.dist-info/**/LICENSE"))


def _version(package: str) -> str:
    version = installed_version(package)
    if not version:
        raise InputError(f"{package} is not installed.", f"Run pip install {package}.")
    return version
