"""Registry entries of models for photos, ``presets/priors/photo/ID.toml``, where their files are, and how to
get them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.prior import fetching, hub
from engine.prior.entries import PRIORS_FOLDER, Entry, check_source, known_file, lacking, read_table, refuse

WITHOUT_MODEL = ("auto", "alpha", "classical", "none")
"""Ways to cut an object out of its picture that need no model."""
PHOTO_FOLDER = PRIORS_FOLDER / "photo"
MAKES = ("mask", "depth", "normals")
WORDS = (*WITHOUT_MODEL, "off")
"""What settings say instead of an id."""

HALF = "fp16"
FILES = fetching.Files(("config.json", "preprocessor_config.json"), ("model.safetensors",))
PIPELINE_FILES = fetching.Files(
    (
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        f"text_encoder/model.{HALF}.safetensors",
        *(f"tokenizer/{name}" for name in ("merges.txt", "vocab.json", "tokenizer_config.json")),
        "vae/config.json",
        f"vae/diffusion_pytorch_model.{HALF}.safetensors",
        "unet/config.json",
    ),
    (f"unet/diffusion_pytorch_model.{HALF}.safetensors",),
)
"""Of one model, and of a diffusion model with its parts."""


@dataclass(frozen=True, kw_only=True)
class PhotoEntry(Entry):
    """What is known of a model before it is on this machine; ``makes`` is one of ``MAKES``."""

    makes: str

    @property
    def files(self) -> fetching.Files:
        """What it consists of."""
        return PIPELINE_FILES if self.makes == "normals" else FILES


def photo_ids(makes: str, folder: Path = PHOTO_FOLDER) -> tuple[str, ...]:
    """The ids of the entries that make this."""
    return tuple(entry.id for entry in list_photo(folder) if entry.makes == makes)


def list_photo(folder: Path = PHOTO_FOLDER) -> tuple[PhotoEntry, ...]:
    """Every entry, by id. Raises PresetError for a file that cannot be read."""
    return tuple(read_photo_entry(path) for path in sorted(folder.glob("*.toml")))


def find_photo(model_id: str, folder: Path = PHOTO_FOLDER) -> PhotoEntry:
    """The entry named ``model_id``; raises InputError that lists the known ones, PresetError for a file that
    is broken.
    """
    return read_photo_entry(known_file("model for photos", model_id, folder))


def read_photo_entry(path: Path) -> PhotoEntry:
    """The entry in ``path``. Raises PresetError that names the file and what is wrong with it."""
    entry = PhotoEntry(**read_table(path, PhotoEntry), folder=path.parent)
    check_source(path, entry)
    refuse(path, {
        f"makes is {entry.makes!r}; it must be one of {', '.join(MAKES)}": entry.makes in MAKES,
        f"id is {entry.id!r}; that word means something else where models are chosen": entry.id not in WORDS,
    })  # fmt: skip
    return entry


def local_folder(entry: PhotoEntry) -> Path | None:
    """The folder with all files that are needed; None if some are not here. No network is asked."""
    return fetching.local_folder(entry, entry.files)


def fetch_photo(entry: PhotoEntry, report: hub.Report = lambda share: None) -> Path:
    """Download what is missing and return the folder; see `engine.prior.fetching.fetch_files`."""
    return fetching.fetch_files(entry, entry.files, report)


def installed_folder(model_id: str, folder: Path = PHOTO_FOLDER) -> Path:
    """The folder of a model's files. Raises InputError (unknown) or MissingError that says how to fetch
    it.
    """
    entry = find_photo(model_id, folder)
    place = local_folder(entry)
    if place is None:
        raise lacking(entry, entry.title)
    return place
