"""What is edited: a run that is done, a file of one's own, or the thing of an example; as a mesh or as
splats.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from gradio.utils import get_upload_folder

from engine.assets.meshes.canonical_pose import Orientation
from engine.errors import InputError, storage_errors
from engine.lazy import imported
from engine.loop.reference.reference_source import SHELF
from engine.session import Session
from studio.reference_queries import ReferenceDesk
from studio.uploads import check_uploads

HANDLE = "x=-0.35:0.35,y=0.4:1,z=-0.6:0.5"
PAINT, PART, RESTYLE, ENERGY = "Paint", "Change a part", "Restyle", "Energy"

MESHES, SCENES = ("glb", "texture"), ("ply", "glb")


@dataclass(frozen=True)
class EditExample:
    """``source`` is on the shelf; ``words`` are what it becomes; ``region`` as the setting writes it."""

    key: str
    way: str
    source: str
    words: str
    sentence: str
    region: str = ""
    energies: Mapping[str, float] = field(default_factory=dict)  # weights by setting

    @property
    def title(self) -> str:
        return self.way


EXAMPLES = (
    EditExample(
        "paint", PAINT, f"{SHELF}toybox/701000", "a red chair with blue legs", "A chair gets other colours"
    ),
    EditExample(
        "part",
        PART,
        f"{SHELF}toybox/700002",
        "a lime mug with a blue handle",
        "The handle alone changes",
        HANDLE,
    ),
    EditExample(
        "restyle",
        RESTYLE,
        f"{SHELF}toybox/700001",
        "a brown mug with a red handle",
        "Only what the words change",
    ),
    EditExample(
        "energy",
        ENERGY,
        f"{SHELF}toybox/701002",
        "a green chair",
        "Refined, with its outline kept and both sides alike",
        energies=MappingProxyType({"energy_symmetry": 2.0, "energy_outline": 2.0}),
    ),
)


def example_named(key: str) -> EditExample | None:
    """The example with this key; None where there is none."""
    return next((each for each in EXAMPLES if each.key == key), None)


class EditSources:
    """Finds them. Raises InputError for what is not there, or nobody's to see."""

    def __init__(self, session: Session) -> None:
        self.session, self.desk = session, ReferenceDesk(session)

    def mesh(self, token: str, given: str | None) -> Path:
        """A file with triangles: ``given`` (an uploaded file, or ``shelf:ID``), or of the run ``token``."""
        if given and given.startswith(SHELF):
            return self._from_shelf(given)
        return self._given(given) if given else self._of_run(token, MESHES)

    def splats(self, token: str, given: str | None) -> Path:
        """The same as splats, which are made where there are none."""
        source = self.mesh(token, given) if given else self._of_run(token, SCENES)
        return imported("studio.commands.edit_region").kept_before(source, new_folder(), Orientation())

    def words(self, token: str, given: str | None) -> str:
        """What it is, as far as that is known: the run's own words, or what the shelf calls it."""
        if given:
            return (
                self.session.references.item(given.removeprefix(SHELF)).caption
                if given.startswith(SHELF)
                else ""
            )
        return self.session.settings(token).spec.prompt if token else ""

    def _given(self, given: str) -> Path:
        check_uploads({"the file": Path(given)}, (Path(get_upload_folder()),))
        return Path(given)

    def _of_run(self, token: str, kinds: tuple[str, ...]) -> Path:
        files = self.session.files(token) if token else {}
        path = next((files[kind] for kind in kinds if kind in files), None)
        if path is None:
            raise InputError(
                "There is nothing to edit.", "Open a run that is done, or add a file of your own."
            )
        return path

    def _from_shelf(self, reference: str) -> Path:
        """Written where uploads lie, each triangle in its own colour."""
        shape = self.desk.shape(reference, Orientation())
        vertices = shape.vertices[shape.faces].reshape(-1, 3).astype(np.float64)
        faces = np.arange(len(vertices)).reshape(-1, 3)
        path = new_folder() / "mesh.glb"
        imported("engine.assets.export.glb").write_glb(
            path, vertices, faces, np.repeat(shape.face_colours, 3, axis=0)
        )
        return path


def new_folder() -> Path:
    """Among the uploads, which are cleared away in time. Raises StorageError."""
    folder = Path(get_upload_folder()) / "edits" / secrets.token_urlsafe(16)
    with storage_errors(folder):
        folder.mkdir(parents=True)
    return folder
