"""A run's state on disk and in memory: atomic, with the one before kept, and read without executing anything
in it.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.core.cameras import Cameras
from engine.errors import FileFormatError, InputError, MissingError, storage_errors
from engine.loop import guidance_state
from engine.loop.messages import SceneCopy
from engine.loop.recipe import Recipe
from engine.loop.state import Anchor, Context, RunState, make_optimiser
from engine.render import choose
from engine.scene.base import Scene
from engine.scene.canvas import Canvas
from engine.scene.field import Field
from engine.scene.splats import Splats

FORMAT = 1
NAME, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"
ONLY_TO_GO_ON = ("optimiser", "anchor", "source", "method")  # what nobody needs of a run that has ended
TYPES: dict[str, type | tuple[type, ...]] = {
    "recipe": str, "revision": int, "view": list, "scene_kind": str, "scene": dict, "optimiser": dict,
    "rng": torch.Tensor,
    "stage_index": int, "step": int, "total_step": int, "rate_scale": (int, float), "seconds": dict,
}  # fmt: skip
SCENES: dict[str, type[Scene]] = {"splats": Splats, "field": Field, "canvas": Canvas}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything needed to go on: plain tensors, numbers and text."""

    content: Mapping[str, Any]

    @property
    def recipe(self) -> Recipe:
        """Settings and live changes up to here."""
        return Recipe.from_toml(self.content["recipe"])

    @property
    def revision(self) -> int:
        """The knobs' revision in force."""
        return int(self.content["revision"])


def take(state: RunState, recipe: Recipe, revision: int, view: tuple[float, float]) -> Snapshot:
    """Copy the state; ``view`` is the prior's (fov_deg, distance), so that the result can be shown without
    the prior.
    """
    anchor = None if state.anchor is None else _anchor_content(state.anchor)
    return Snapshot(
        {
            "format": FORMAT,
            "recipe": recipe.to_toml(),
            "revision": revision,
            "view": list(view),
            "scene_kind": state.scene.kind,
            "scene": _arrays(state.scene),
            "optimiser": _cloned(state.optimiser.state_dict()),
            "rng": state.rng.get_state(),
            "stage_index": state.stage_index,
            "step": state.step,
            "total_step": state.total_step,
            "rate_scale": state.rate_scale,
            "skipped": state.skipped,
            "seconds": dict(state.seconds),
            "first_view_seconds": state.first_view_seconds,
            "anchor": anchor,
            "picture_size": state.picture_size,
            "source": None if state.source is None else _arrays(state.source),
            "method": _cloned(guidance_state.content(state)),
        }
    )


def restore(snapshot: Snapshot, state: RunState, context: Context) -> None:
    """Put a snapshot back into ``state``. What a method had learned follows when it is next asked
    (``saved_method``).

    Raises InputError for one that ``settle`` left.
    """
    if snapshot.content.get("ended"):
        raise InputError(
            "This run has ended, and only its shape was kept.",
            "Start from its recipe, or from its scene.ply.",
        )
    content, device = snapshot.content, context.prior.device
    state.scene = scene_of(snapshot).to(device)
    state.renderer = choose(state.scene, context.spec.backend)
    state.optimiser = make_optimiser(state.scene)
    state.optimiser.load_state_dict(_cloned(content["optimiser"]))
    state.rng.set_state(content["rng"].clone())
    state.stage_index, state.step, state.total_step = (
        content["stage_index"],
        content["step"],
        content["total_step"],
    )
    state.rate_scale, state.seconds = content["rate_scale"], dict(content["seconds"])
    state.first_view_seconds, state.skipped = content["first_view_seconds"], content.get("skipped", 0)
    state.anchor = None if content["anchor"] is None else _anchor_from(content["anchor"], device)
    state.picture_size = content.get("picture_size", 0)
    source = content.get("source")
    state.source = None if source is None else _scene(content["scene_kind"], source).to(device)
    state.guidance_key, state.guidance_state, state.side_optimiser = None, None, None
    state.saved_method = content["method"]


def save(snapshot: Snapshot, folder: Path) -> None:
    """Write atomically; the file before it stays as ``checkpoint.previous.pt``. Raises StorageError, and
    leaves no part then.
    """
    target, temporary = folder / NAME, folder / (NAME + ".part")
    with storage_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _write(snapshot.content, temporary)
            if target.exists():
                os.replace(target, folder / PREVIOUS)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def _write(content: Mapping[str, Any], path: Path) -> None:
    """Onto the disk, not only into its cache. torch itself tells of a full disk as it does of its own
    faults.
    """
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    with path.open("wb") as file:
        file.write(buffer.getbuffer())
        file.flush()
        os.fsync(file.fileno())


def load(folder: Path) -> Snapshot:
    """The newest readable checkpoint of a run. Raises MissingError where there is none, FileFormatError if
    none can be read.
    """
    paths = [path for path in (folder / NAME, folder / PREVIOUS) if path.exists()]
    if not paths:
        raise MissingError(f"There is no checkpoint in {folder}.", "Start the run anew.")
    for path in paths:
        try:
            return Snapshot(_checked(path.read_bytes()))
        except Exception:  # a damaged file can fail in any way, and the one before it is still to be tried
            continue
    raise FileFormatError(f"{folder / NAME} cannot be read.", "Start the run anew.")


def _checked(data: bytes) -> dict[str, Any]:
    """The content of a checkpoint, whose archive holds a checksum of each part: torch reads them and never
    compares.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if (damaged := archive.testzip()) is not None:
            raise FileFormatError(f"{damaged} is not as it was written.")
    content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    ended = ONLY_TO_GO_ON if content.get("ended") else ()
    wrong = [
        name for name, kind in TYPES.items() if name not in ended and not isinstance(content.get(name), kind)
    ]
    if content.get("format") != FORMAT or content["scene_kind"] not in SCENES or wrong:
        raise FileFormatError(f"It is no checkpoint of format {FORMAT} ({', '.join(wrong)}).")
    _scene(content["scene_kind"], content["scene"])
    return content


def settle(folder: Path) -> None:
    """Keep of an ended run's checkpoints what shows its scene, and free the rest of their space.

    Raises StorageError, MissingError or FileFormatError, and then everything is as it was.
    """
    content = load(folder).content
    if not content.get("ended"):
        kept = {name: value for name, value in content.items() if name not in ONLY_TO_GO_ON}
        save(Snapshot({**kept, "ended": True}), folder)
    (folder / PREVIOUS).unlink(missing_ok=True)


def scene_of(snapshot: Snapshot) -> Scene:
    """The scene alone."""
    return _scene(snapshot.content["scene_kind"], snapshot.content["scene"])


def _arrays(scene: Scene) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array.copy()) for name, array in scene.to_arrays().items()}


def _scene(kind: str, arrays: Mapping[str, torch.Tensor]) -> Scene:
    return SCENES[kind].from_arrays({name: tensor.numpy() for name, tensor in arrays.items()})


def load_copy(folder: Path) -> SceneCopy:
    """The scene of a run on disk, ready to be shown."""
    snapshot = load(folder)
    fov_deg, distance = snapshot.content["view"]
    render_size = snapshot.content.get("picture_size", 0) or snapshot.recipe.settings.spec.render_size
    return SceneCopy(
        int(snapshot.content["total_step"]),
        snapshot.revision,
        scene_of(snapshot),
        "auto",
        fov_deg,
        distance,
        render_size,
    )


def _anchor_content(anchor: Anchor) -> dict[str, Any]:
    cameras = anchor.cameras
    return {
        "rgba": anchor.rgba.detach().cpu(),
        "c2w": cameras.c2w.cpu(),
        "K": cameras.K.cpu(),
        "size": [cameras.width, cameras.height],
    }


def _anchor_from(content: Mapping[str, Any], device: torch.device) -> Anchor:
    cameras = Cameras(content["c2w"], content["K"], *content["size"]).to(device)
    return Anchor(content["rgba"].to(device), cameras)


def _cloned(tree: Any) -> Any:
    """Deep copy of nested containers of tensors, on the CPU."""
    if isinstance(tree, torch.Tensor):
        return tree.detach().cpu().clone()
    if isinstance(tree, Mapping):
        return {key: _cloned(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_cloned(value) for value in tree]
    return tree
