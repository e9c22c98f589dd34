"""What the reference card asks: what is on the shelf, what a reference is, and what it looks like from all
round.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from engine.assets.images.image_arguments import pictures_in
from engine.assets.meshes.canonical_pose import Orientation
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.paths import given_path
from engine.errors import InputError
from engine.lazy import imported
from engine.loop.reference.input_files import existing_file, path_in
from engine.loop.reference.provenance import Origin, origin_of
from engine.loop.reference.reference_source import SHELF, FromRun, FromShelf, Retrieved, parsed_reference
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.retrieval.items import Item, Match
from engine.session import Session
from studio.uploads import check_uploads

SHOWN, MOST_SHOWN = 6, 24
THUMBNAIL_SIZE, SIDE_SIZE = 144, 208
SIDES, FEW_SIDES, FINE_FACES = 24, 8, 60_000
SIDES_ELEVATION_DEG = 15.0
WEBP_QUALITY = 82
UNSTATED = "licence not stated"

FRAMING = ("image_crops", "image_fill", "image_azimuth", "image_elevation", "image_elevation_deg")


@dataclass(frozen=True)
class Query:
    """What to look for: the run's ``words`` and ``images``, or words of the card's own (``search``).

    ``framing`` are settings of the run that say how the pictures are cropped and where their camera stood;
    others are not heard.
    """

    words: str = ""
    images: str = ""
    search: str = ""
    framing: Mapping[str, Any] = field(default_factory=dict)

    def spec(self) -> RunSpec | None:
        """As settings; None where there is nothing to go by. Raises InputError."""
        if self.search.strip():
            return RunSpec(self.search)
        if not self.words.strip() and not self.images.strip():
            return None
        settings = Settings(RunSpec(self.words, images=self.images), Knobs())
        return with_values(
            settings, {name: self.framing[name] for name in FRAMING if name in self.framing}
        ).spec


class ReferenceDesk:
    """Answers for the card, JSON-safe. May be used by several threads; raises StudioError for what cannot be
    answered.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._drawing = threading.Lock()  # one picture after the other: a run needs the cores, too
        self._shape = lru_cache(maxsize=6)(self._shape_now)
        self._pictures = lru_cache(maxsize=300)(self._picture_now)
        self._sides = lru_cache(maxsize=24)(self._sides_now)

    def matches(self, query: Query, k: int = SHOWN) -> dict[str, Any]:
        """The best matches, or, with nothing to go by, a varied handful; and how many files could not be
        read.
        """
        spec = query.spec()
        references = self.session.references
        if spec is not None:
            self._check(
                {f"images {i}": Path(each.path) for i, each in enumerate(pictures_in(spec.images), 1)}
            )
        k = min(max(1, k), MOST_SHOWN)
        shelf = references.shelf()
        matches = _handful(shelf.items, k) if spec is None else references.matches(spec, k)
        return {
            "matches": [match_json(match) for match in matches],
            "unreadable": len(shelf.unreadable),
            "asked": spec is not None,
        }

    def facts(self, reference: str, orientation: Orientation) -> dict[str, Any]:
        """What is known of a reference, and what had to be done to it."""
        shape = self.shape(reference, orientation)
        return {
            **_origin_json(self._origin(reference, shape)),
            "up": shape.up,
            "confidence": round(shape.confidence, 2),
            "notes": list(shape.notes),
            "faces": len(shape.faces),
        }

    def shape(self, reference: str, orientation: Orientation) -> ReferenceShape:
        """The reference itself, in the pose that a run will use."""
        return self._shape(reference, orientation, self._stamp(reference))

    def picture(self, reference: str) -> bytes:
        """A small picture as WebP, seen as the file has it."""
        return self._pictures(reference, self._stamp(reference))

    def sides(self, reference: str, orientation: Orientation) -> bytes:
        """Pictures from all round in one row as WebP, the front first, in the pose that a run will use."""
        return self._sides(reference, orientation, self._stamp(reference))

    def taken(self, token: str) -> dict[str, Any] | None:
        """What a run took; None if it has no reference, or nobody knows where that is from."""
        reference = self.session.settings(token).spec.reference
        if not reference.strip() or parsed_reference(reference) is not None:
            return None
        origin = origin_of(existing_file(reference, None))
        return None if origin is None else _origin_json(origin)

    def _origin(self, reference: str, shape: ReferenceShape) -> Origin:
        wanted = parsed_reference(reference)
        if wanted is not None:
            item = self._item(wanted)
            return Origin(item.id, item.caption, item.source, item.licence)
        path = existing_file(reference, None)
        facts = shape.facts
        source = ", ".join(part for part in (path.name, facts.author, facts.source) if part)
        return origin_of(path) or Origin("file", facts.title or path.stem, source, facts.licence or UNSTATED)

    def _item(self, source: FromShelf | FromRun | Retrieved) -> Item:
        references = self.session.references
        if isinstance(source, Retrieved):
            raise InputError(
                "What is taken is decided when the run begins.", "Choose one of the matches to see it."
            )
        return (
            references.item(source.id) if isinstance(source, FromShelf) else references.result(source.token)
        )

    def _path(self, reference: str) -> Path | None:
        """Its file, which the browser may name; None for what is built when it is wanted. Raises
        InputError.
        """
        source = parsed_reference(reference)
        if source is not None:
            return self._item(source).path
        self._check({"reference": given_path(path_in(reference))})
        return existing_file(reference, None)

    def _stamp(self, reference: str) -> int:
        """Another number when the file has changed."""
        path = self._path(reference)
        return 0 if path is None else path.stat().st_mtime_ns

    def _shape_now(self, reference: str, orientation: Orientation, stamp: int) -> ReferenceShape:
        source = parsed_reference(reference)
        if source is not None:
            return imported("engine.retrieval.embed_views").shape_of(self._item(source), orientation)
        return imported("engine.assets.meshes.mesh_file").read_reference(
            existing_file(reference, None), orientation
        )

    def _picture_now(self, reference: str, stamp: int) -> bytes:
        thumbnail = imported("engine.assets.meshes.render_maps").thumbnail
        with self._drawing:
            return webp(thumbnail(self._shape(reference, Orientation(), stamp), THUMBNAIL_SIZE))

    def _sides_now(self, reference: str, orientation: Orientation, stamp: int) -> bytes:
        pictures_of = imported("engine.assets.meshes.render_maps").pictures_of
        with self._drawing:
            shape = self._shape(reference, orientation, stamp)
            count = SIDES if len(shape.faces) <= FINE_FACES else FEW_SIDES
            pictures = pictures_of(shape, np.arange(count) * (360.0 / count), SIDES_ELEVATION_DEG, SIDE_SIZE)
        row = (
            (np.clip(pictures, 0, 1) * 255 + 0.5)
            .astype(np.uint8)
            .transpose(1, 0, 2, 3)
            .reshape(SIDE_SIZE, -1, 4)
        )
        return webp(row)

    def _check(self, files: Mapping[str, Path]) -> None:
        check_uploads(files, (Path(get_upload_folder()), self.session.library.root))


def match_json(match: Match) -> dict[str, Any]:
    """A match as the card takes it."""
    item = match.item
    near = match.similarity if np.isfinite(match.similarity) else None
    return {
        "reference": f"{SHELF}{item.id}",
        **_origin_json(Origin(item.id, item.caption, item.source, item.licence, near)),
    }


def webp(premultiplied: np.ndarray) -> bytes:
    """WebP of a premultiplied picture (H,W,4) uint8."""
    alpha = np.maximum(premultiplied[..., 3:].astype(np.float32), 1)
    rgb = np.clip(premultiplied[..., :3] * (255 / alpha), 0, 255)
    straight = np.concatenate([rgb, premultiplied[..., 3:]], -1).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(straight).save(buffer, "WEBP", quality=WEBP_QUALITY, method=2)
    return buffer.getvalue()


def _handful(items: Sequence[Item], k: int) -> list[Match]:
    """Evenly from all over the shelf."""
    places = np.linspace(0, len(items) - 1, min(k, len(items))).round().astype(int)
    return [Match(items[place], np.nan) for place in places]


def _origin_json(origin: Origin) -> dict[str, Any]:
    near = None if origin.similarity is None else round(origin.similarity, 3)
    return {**asdict(origin), "similarity": near}
