"""How a thing on a shelf is looked at for retrieval: from all round. Apart from `embedder`, which imports no
torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.assets.images.crop import SOLID, crop_of, framed
from engine.assets.meshes.canonical_pose import AUTO, Orientation
from engine.assets.meshes.mesh_file import as_shape, read_reference
from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.assets.meshes.render_maps import pictures_of
from engine.assets.meshes.repair import mended
from engine.errors import InputError
from engine.retrieval.embedder import Embedder
from engine.retrieval.items import Item

AZIMUTHS_DEG, ELEVATION_DEG = tuple(22.5 * k for k in range(16)), 15.0
FILL = 0.8
"""Share of a picture that the object takes when it is compared."""


def shape_of(item: Item, orientation: Orientation = AUTO) -> ReferenceShape:
    """The thing itself, read or built. Raises as `read_reference`."""
    if item.build is not None:
        return as_shape(mended(item.build()), item.id.rpartition("/")[2], orientation)
    if item.path is None:
        raise InputError(
            f"{item.caption} has neither a file nor a plan.", "Choose another thing of the shelf."
        )
    return read_reference(item.path, orientation)


def embedded(shape: ReferenceShape, embedder: Embedder) -> np.ndarray:
    """Embeddings (V,D) of the shape's pictures from all round."""
    pictures = pictures_of(shape, np.array(AZIMUTHS_DEG), ELEVATION_DEG, embedder.picture_size)
    return embedder.pictures(comparable(pictures, embedder.picture_size)).astype(np.float32)


def comparable(pictures: Sequence[np.ndarray] | np.ndarray, size: int) -> np.ndarray:
    """Each object in the middle and equally large, so that a cut-out photo and a render compare; empty if too
    thin to be seen.
    """
    empty = np.zeros((size, size, 4), np.float32)
    visible = [picture[..., 3].max() > SOLID for picture in pictures]
    rows = [
        framed(picture, crop_of(picture[..., 3], FILL), size) if there else empty
        for picture, there in zip(pictures, visible)
    ]
    return np.stack(rows).astype(np.float32)
