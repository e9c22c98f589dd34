"""Registry entries of ControlNets: one flat TOML file each, ``presets/priors/controls/ID.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.prior import fetching, hub
from engine.prior.control.pictures import PICTURES
from engine.prior.entries import PRIORS_FOLDER, Entry, check_source, known_file, read_table, refuse

CONFIG = "config.json"
WEIGHTS = ("diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors")
"""In the order in which they are wanted: half precision is enough."""

FILES = fetching.Files((CONFIG,), WEIGHTS)

CONTROLS_FOLDER = PRIORS_FOLDER / "controls"
OFF = "off"


@dataclass(frozen=True, kw_only=True)
class ControlEntry(Entry):
    """What is known of a ControlNet before it is on this machine."""

    sees: str  # the picture that it was trained on, as in ``PICTURES``
    base: str  # the models that it goes with, as people call them


def control_ids(folder: Path = CONTROLS_FOLDER) -> tuple[str, ...]:
    """The ids of all entries, by the names of their files."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def find_control(control_id: str, folder: Path = CONTROLS_FOLDER) -> ControlEntry:
    """The entry named ``control_id``; raises InputError that lists the known ones, PresetError for a file
    that is broken.
    """
    return read_control(known_file("ControlNet", control_id, folder, OFF))


def list_controls(folder: Path = CONTROLS_FOLDER) -> tuple[ControlEntry, ...]:
    """Every entry, by id. Raises PresetError for a file that cannot be read."""
    return tuple(find_control(control_id, folder) for control_id in control_ids(folder))


def read_control(path: Path) -> ControlEntry:
    """The entry in ``path``. Raises PresetError that names the file and what is wrong with it."""
    entry = ControlEntry(**read_table(path, ControlEntry), folder=path.parent)
    check_source(path, entry)
    refuse(path, {
        f"sees is {entry.sees!r}; it must be one of {', '.join(PICTURES)}": entry.sees in PICTURES,
        f"id is {entry.id!r}; that word switches ControlNets off": entry.id != OFF,
    })  # fmt: skip
    return entry


def local_folder(entry: ControlEntry) -> Path | None:
    """The folder with all files that are needed; None if some are not here. No network is asked."""
    return fetching.local_folder(entry, FILES)


def fetch_control(entry: ControlEntry, report: hub.Report = lambda share: None) -> Path:
    """Download what is missing and return the folder; see `engine.prior.fetching.fetch_files`."""
    return fetching.fetch_files(entry, FILES, report)
