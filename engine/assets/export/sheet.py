"""A contact sheet: views of a result side by side on a plain light background, one PNG with the recipe
inside.
"""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.assets.export.files import atomic_path, read_errors
from engine.errors import FileFormatError, InputError

BACKGROUND = (244, 243, 240)
"""A plain light tone, on which white objects still show."""

AZIMUTHS_DEG = (0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0)
"""Where the eight views of a sheet are usually taken."""

_RECIPE_KEY = "recipe"


def compose_sheet(views: np.ndarray, *, columns: int = 4, margin: int = 8) -> np.ndarray:
    """Lay V views (V,H,W,4), uint8 premultiplied RGBA, out in rows; returns uint8 RGB. Raises `InputError`
    for other arrays.
    """
    views = np.asarray(views)
    if views.dtype != np.uint8 or views.ndim != 4 or views.shape[-1] != 4 or 0 in views.shape or columns < 1:
        what = f"The sheet was given {views.dtype} views of shape {views.shape} and {columns} columns."
        raise InputError(what, "Give uint8 RGBA views (V, H, W, 4) and at least one column.")
    opaque = over_paper(views)
    count, height, width = views.shape[:3]
    rows = -(-count // columns)
    sheet = np.empty((rows * (height + margin) + margin, columns * (width + margin) + margin, 3), np.uint8)
    sheet[:] = BACKGROUND
    for index, view in enumerate(opaque):
        row, column = divmod(index, columns)
        top, left = margin + row * (height + margin), margin + column * (width + margin)
        sheet[top : top + height, left : left + width] = view
    return sheet


def over_paper(views: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA (...,4) uint8 as RGB (...,3) over `BACKGROUND`."""
    backdrop = np.array(BACKGROUND, np.uint16)
    opaque = views[..., :3] + (backdrop * (255 - views[..., 3:].astype(np.uint16)) + 127) // 255
    return opaque.clip(0, 255).astype(np.uint8)


def write_sheet(
    path: Path | str, views: np.ndarray, *, columns: int = 4, margin: int = 8, recipe: str = ""
) -> None:
    """Write V premultiplied RGBA views (V,H,W,4) uint8 as one PNG. Raises `InputError` and `StorageError`."""
    write_png(path, compose_sheet(views, columns=columns, margin=margin), recipe=recipe)


def write_png(path: Path | str, picture: np.ndarray, *, recipe: str = "") -> None:
    """Write one uint8 RGB or RGBA picture with its recipe. Raises `StorageError`."""
    with atomic_path(path) as partial:
        partial.write_bytes(png_of(picture, recipe))


def png_of(picture: np.ndarray, recipe: str = "") -> bytes:
    """A uint8 RGB or RGBA picture as a PNG file's bytes; a ``recipe`` stands before the pixels."""
    info, png = PngInfo(), BytesIO()
    if recipe:
        info.add_itxt(_RECIPE_KEY, recipe)
    Image.fromarray(picture).save(png, format="PNG", pnginfo=info)
    return png.getvalue()


def recipe_in_start(start: bytes) -> str:
    """The recipe that `png_of` has put before the pixels, of the first bytes of a PNG; "" where there is
    none.
    """
    with suppress(OSError, SyntaxError, ValueError), Image.open(BytesIO(start), formats=["PNG"]) as picture:
        return str(picture.info.get(_RECIPE_KEY, ""))
    return ""


def read_recipe(path: Path | str) -> str:
    """The recipe in the picture's text. Raises `FileFormatError` if there is none or it is no PNG."""
    with read_errors(path):
        data = Path(path).read_bytes()
    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as picture:
            picture.load()
            recipe = getattr(picture, "text", {}).get(_RECIPE_KEY)
    except (OSError, SyntaxError, ValueError) as error:
        what = f"{path} is not a PNG picture, or it is damaged."
        raise FileFormatError(what, "Choose a PNG that Maquette exported.") from error
    if recipe is None:
        raise FileFormatError(f"{path} holds no recipe.", "Choose a PNG that Maquette exported.")
    return str(recipe)
