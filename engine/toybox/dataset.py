"""The toybox data set: objects drawn by seed, seen from eight sides, described in words, kept in
memory-mapped shards.

    python -m engine.toybox.dataset --out DIR --objects N [--procs 2]    fill a folder with shards (resumable)
    python -m engine.toybox.dataset --out DIR --objects N --models FOLDER  with objects drawn from 3D models
    python -m engine.toybox.dataset --sheet FILE.png                     look at what the objects are like

A shard is a folder: ``images.npy``, perhaps ``ccm.npy``, and ``shard.json`` with everything else. It appears
complete or not at all. Everything is a function of the seeds; which seeds serve what is written here once:

| seeds | use |
|---|---|
| 0 .. 799,999 | training the prior |
| 800,000 .. 899,999 | training the benchmark's classifier |
| 900,000 and above | held out: never trained on |
| 10,000,000 and above | training the prior, drawn from models (`engine.toybox.models`) |
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from engine.errors import FileFormatError, InputError, storage_errors
from engine.prior.toybox.info import RESOLUTION
from engine.toybox.captions import caption
from engine.toybox.models.collection import open_collection
from engine.toybox.models.drawing import MODEL_SEED, ModelDrawer
from engine.toybox.objects import KINDS, ToyObject, any_kind, draw_object
from engine.toybox.pictures import VIEWS, draw_views, render_object, to_bytes

CLASSIFIER_SEED = 800_000
HELD_OUT_SEED = 900_000
CAPTIONS_PER_OBJECT = 4
SHARD_OBJECTS = 500

_CAMERA_STREAM, _CAPTION_STREAM = 1, 2
"""Random streams beside the object's own, so that a new caption rule moves neither cameras nor shapes."""


@dataclass(frozen=True, eq=False)
class Shard:
    """N objects from 8 views each: ``images`` (N,8,64,64,4) uint8 premultiplied RGBA, angles (N,8) float32 in
    degrees.

    ``kinds`` (N,) indexes ``kind_names``; ``captions`` has 4 alternative sentences an object; ``ccm``
    (N,8,64,64,3) uint8 canonical coordinates, if asked for.
    """

    seeds: np.ndarray
    kinds: np.ndarray
    captions: tuple[tuple[str, ...], ...]
    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray
    images: np.ndarray
    ccm: np.ndarray | None = None
    kind_names: tuple[str, ...] = KINDS

    def __len__(self) -> int:
        return len(self.seeds)


@cache
def model_drawer(folder: Path) -> ModelDrawer:
    """Draws from the models of a folder; read once a process."""
    return ModelDrawer(open_collection(folder))


@dataclass(frozen=True)
class Recipe:
    """What a cache is made of: procedural objects or a folder of ``models``, of some ``kinds``, with ``ccm``
    maps or not.
    """

    models: Path | None = None
    kinds: tuple[str, ...] = ()
    ccm: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The kinds that shards index."""
        return KINDS if self.models is None else model_drawer(self.models).collection.kinds

    def draw(self, seed: int) -> ToyObject:
        """The object of a seed. Raises `InputError` for a kind that there is not."""
        if self.models is not None:
            return model_drawer(self.models)(seed, self.kinds)
        return draw_object(seed, any_kind(seed, self.kinds) if self.kinds else None)


PROCEDURAL = Recipe()
"""Procedural objects of the first kinds."""


def generate_shard(seed_start: int, n_objects: int, recipe: Recipe = PROCEDURAL) -> Shard:
    """Draw, render and describe the objects of ``n_objects`` consecutive seeds; the same numbers give the
    same bytes.
    """
    ccm, names = recipe.ccm, recipe.names
    seeds = np.arange(seed_start, seed_start + n_objects)
    images = np.empty((n_objects, VIEWS, RESOLUTION, RESOLUTION, 4), np.uint8)
    coordinates = np.empty((*images.shape[:-1], 3), np.uint8) if ccm else None
    angles = np.empty((2, n_objects, VIEWS), np.float32)
    kinds, captions = np.empty(n_objects, np.int64), []
    for i, seed in enumerate(seeds.tolist()):
        obj = recipe.draw(seed)
        angles[:, i] = draw_views(np.random.default_rng([seed, _CAMERA_STREAM]))
        buffers = render_object(obj, angles[0, i], angles[1, i])
        images[i] = to_bytes(buffers.rgba)
        if coordinates is not None:
            coordinates[i] = to_bytes(buffers.ccm)
        kinds[i] = names.index(obj.kind)
        rng = np.random.default_rng([seed, _CAPTION_STREAM])
        captions.append(tuple(caption(obj, rng) for _ in range(CAPTIONS_PER_OBJECT)))
    return Shard(seeds, kinds, tuple(captions), angles[0], angles[1], images, coordinates, names)


def save_shard(shard: Shard, path: Path) -> None:
    """Write a shard folder: complete under a temporary name first, then renamed. Raises `StorageError`."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with storage_errors(path):
        try:
            partial.mkdir(parents=True)
            _save_array(partial / "images.npy", shard.images)
            if shard.ccm is not None:
                _save_array(partial / "ccm.npy", shard.ccm)
            (partial / "shard.json").write_text(json.dumps(_description(shard)), encoding="utf-8")
            shutil.rmtree(path, ignore_errors=True)
            os.replace(partial, path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def _save_array(path: Path, array: np.ndarray) -> None:
    """As `np.save`, whose error for a full disk has no error number to tell it by."""
    array = np.ascontiguousarray(array)
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.data)


def _description(shard: Shard) -> dict[str, object]:
    return {
        "kind_names": list(shard.kind_names),
        "crc32": zlib.crc32(np.ascontiguousarray(shard.images).data),
        "seeds": shard.seeds.tolist(),
        "kinds": shard.kinds.tolist(),
        "captions": shard.captions,
        "azimuth_deg": shard.azimuth_deg.tolist(),
        "elevation_deg": shard.elevation_deg.tolist(),
    }


def load_shard(path: Path, verify: bool = False) -> Shard:
    """Open a shard, its pictures memory-mapped; ``verify`` also reads them all and compares the checksum.

    Raises `FileFormatError` for what is missing, truncated, altered, or made with other kinds of objects.
    """
    path = Path(path)
    try:
        text = json.loads((path / "shard.json").read_text(encoding="utf-8"))
        images = np.load(path / "images.npy", mmap_mode="r")
        ccm = np.load(path / "ccm.npy", mmap_mode="r") if (path / "ccm.npy").exists() else None
        angles = np.asarray([text["azimuth_deg"], text["elevation_deg"]], np.float32)
        captions = tuple(tuple(sentences) for sentences in text["captions"])
        names = tuple(text["kind_names"])
        azimuths, elevations = angles
        shard = Shard(
            np.asarray(text["seeds"]),
            np.asarray(text["kinds"]),
            captions,
            azimuths,
            elevations,
            images,
            ccm,
            names,
        )
        whole = not verify or zlib.crc32(np.ascontiguousarray(images).data) == text["crc32"]
        fits = len(images) == len(captions) == len(shard.kinds) == len(shard) and angles.shape == (
            2,
            len(shard),
            VIEWS,
        )
        known = names == KINDS or shard.seeds[0] >= MODEL_SEED
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise FileFormatError(
            f"{path} is not a readable shard ({error}).", "Delete it and generate it again."
        ) from error
    if not (whole and fits and known):
        raise FileFormatError(
            f"{path} is damaged or was made by another version.", "Delete it and generate it again."
        )
    return shard


def shard_path(folder: Path, index: int) -> Path:
    """Where shard number ``index`` of a cache lies."""
    return Path(folder) / f"shard_{index:05d}"


def model_shard_path(folder: Path, index: int) -> Path:
    """Where shard number ``index`` of objects drawn from models lies."""
    return Path(folder) / f"shard_models_{index:05d}"


def ensure_shard(path: Path, seed_start: int, n_objects: int, recipe: Recipe = PROCEDURAL) -> bool:
    """Generate the shard at ``path`` unless it is there and sound; a damaged one is replaced with a warning.

    Returns whether it was generated.
    """
    if path.exists():
        try:
            shard = load_shard(path, verify=True)
            if (
                len(shard) == n_objects
                and shard.seeds[0] == seed_start
                and (shard.ccm is not None or not recipe.ccm)
            ):
                return False
            warnings.warn(f"{path} holds other objects and is generated again.", stacklevel=2)
        except FileFormatError as error:
            warnings.warn(f"{error.what} It is generated again.", stacklevel=2)
    save_shard(generate_shard(seed_start, n_objects, recipe), path)
    return True


@dataclass(frozen=True, eq=False)
class Batch:
    """Some views of B objects, copied out of a cache; fields as in `Shard` with (B,V) in place of (N,8)."""

    images: np.ndarray
    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray
    kinds: np.ndarray
    captions: list[tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class ShardCache:
    """All shards of a folder as one sequence of objects."""

    shards: tuple[Shard, ...]

    @staticmethod
    def open(folder: Path) -> ShardCache:
        """Open every shard of a folder, in order. Raises `InputError` if there is none, `FileFormatError` if
        one is damaged.
        """
        paths = sorted(Path(folder).glob("shard_*"))
        if not paths:
            raise InputError(
                f"{folder} holds no toybox shards.", f"Run: python -m engine.toybox.dataset --out {folder}"
            )
        return ShardCache(tuple(load_shard(path) for path in paths))

    def __len__(self) -> int:
        return sum(len(shard) for shard in self.shards)

    def gather(self, objects: np.ndarray, views: np.ndarray) -> Batch:
        """Copy out the views (B,V) of the objects (B,), both given by index."""
        starts = np.cumsum([0] + [len(shard) for shard in self.shards])
        owners = np.searchsorted(starts, objects, side="right") - 1
        picks = [
            (self.shards[s], int(i - starts[s]), v) for s, i, v in zip(owners, objects, views, strict=True)
        ]
        return Batch(
            images=np.stack([shard.images[i, v] for shard, i, v in picks]),
            azimuth_deg=np.stack([shard.azimuth_deg[i, v] for shard, i, v in picks]),
            elevation_deg=np.stack([shard.elevation_deg[i, v] for shard, i, v in picks]),
            kinds=np.array([shard.kinds[i] for shard, i, _ in picks]),
            captions=[shard.captions[i] for shard, i, _ in picks],
        )


if __name__ == "__main__":
    from engine.toybox.generate_dataset import main

    raise SystemExit(main())
