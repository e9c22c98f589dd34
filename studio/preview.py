"""What the engine will make of a picture, told before Generate: cut out, framed, or why it cannot be used.

Plain HTTP beside the page, on threads of its own, so that no picture holds up a control. What is shown is
computed by the functions that a run uses.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from engine.assets.images.image_arguments import crops_in, pictures_in
from engine.assets.images.input_files import existing_file
from engine.errors import InputError, StudioError
from engine.lazy import imported
from studio.samples import sample_file
from studio.uploads import check_uploads

if TYPE_CHECKING:
    from engine.assets.images.crop import Crop
    from engine.assets.images.preprocessing import CutPhoto

SHOWN_SIDE = 480  # pixels of the longer side of a cut-out as the page shows it
FRAME_SIDE = 192
OUTLINE_SIDE = (
    1024  # of a picture whose outline is corrected, and of what comes of it: twice what runs render
)
KEPT = 8  # cut-outs that are remembered, so that another crop of a picture is answered at once

Cut = Callable[[Path, str], "CutPhoto"]
Show = Callable[..., dict[str, Any]]


def preview_routes(library: Path, pool: Executor, cut: Cut) -> list[BaseRoute]:
    """``/pictures/look?picture=PATH&crop=...&fill=...&way=...``, ``/pictures/outline?picture=PATH&way=...``
    and ``/pictures/samples/{name}``; work is done in ``pool``.
    """

    async def shown(request: Request, show: Show) -> Response:
        folders = (Path(get_upload_folder()), library)
        loop = asyncio.get_running_loop()
        return JSONResponse(
            await loop.run_in_executor(pool, answer, request.query_params, folders, cut, show)
        )

    async def look(request: Request) -> Response:
        return await shown(request, look_at)

    async def outline(request: Request) -> Response:
        return await shown(request, outline_of)

    def sample(request: Request) -> Response:
        path = sample_file(request.path_params["name"])
        return PlainTextResponse("There is no such picture.", 404) if path is None else FileResponse(path)

    return [
        Route("/pictures/look", look),
        Route("/pictures/outline", outline),
        Route("/pictures/samples/{name}", sample),
    ]


def cut_now(path: Path, way: str) -> CutPhoto:
    """`cut_photo`, imported at the first picture: it is slow to import."""
    return imported("engine.assets.images.preprocessing").cut_photo(path, way)


def remembering(cut: Cut) -> Cut:
    """The same function, which remembers what it cut out last as long as the file stays as it is, in a
    quarter of the memory.
    """

    @lru_cache(maxsize=KEPT)
    def kept(path: Path, way: str, changed_ns: int) -> tuple[np.ndarray, tuple[str, ...], bool]:
        photo = cut(path, way)
        return np.round(photo.rgba * 255).astype(np.uint8), photo.notes, photo.doubtful

    def remembered(path: Path, way: str) -> CutPhoto:
        rgba, notes, doubtful = kept(path, way, path.stat().st_mtime_ns)
        return imported("engine.assets.images.preprocessing").CutPhoto(
            rgba.astype(np.float32) / 255, notes, doubtful
        )

    return remembered


def answer(
    query: Mapping[str, str], folders: Sequence[Path], cut: Cut, show: Show | None = None
) -> dict[str, Any]:
    """What the browser is told: what ``show`` makes of it (`look_at`, or `outline_of`), or ``problem`` and
    ``remedy``.

    ``query`` are ``picture``, as the setting ``images`` lists one, and ``crop``, ``fill`` and ``way``.
    """
    try:
        return (show or look_at)(query, folders, cut)
    except StudioError as error:
        return {"problem": error.what, "remedy": error.remedy}


def look_at(query: Mapping[str, str], folders: Sequence[Path], cut: Cut) -> dict[str, Any]:
    """The cut-out ``whole`` and its ``frame`` as data addresses, its ``width`` and ``height``, the ``square``
    of the frame (centre and side as a crop lists them), ``notes``, and whether the outline is ``doubtful``.

    Raises StudioError for a picture that cannot be used.
    """
    photo = cut(_file_of(query, folders), query.get("way", "auto"))
    crop = imported("engine.assets.images.preprocessing").square_of(
        photo.rgba, crops_in(query.get("crop", ""), 1)[0], _fill(query.get("fill", ""))
    )
    height, width = photo.rgba.shape[:2]
    return {
        "whole": picture_address(photo.rgba, SHOWN_SIDE),
        "frame": picture_address(
            imported("engine.assets.images.crop").framed(photo.rgba, crop, FRAME_SIDE), FRAME_SIDE
        ),
        "width": width,
        "height": height,
        "square": listed_square(crop, width, height),
        "notes": list(photo.notes),
        "doubtful": photo.doubtful,
    }


def outline_of(query: Mapping[str, str], folders: Sequence[Path], cut: Cut) -> dict[str, Any]:
    """The whole picture as ``original``, and its ``cut``, of one size, as data addresses. Raises as
    `look_at`.
    """
    path = _file_of(query, folders)
    photo = imported("engine.assets.images.decoding").read_photo(path).rgba.astype(np.float32) / 255
    whole = np.concatenate([photo[..., :3] * photo[..., 3:], photo[..., 3:]], -1)
    return {
        "original": picture_address(whole, OUTLINE_SIDE),
        "cut": picture_address(cut(path, query.get("way", "auto")).rgba, OUTLINE_SIDE),
    }


def _file_of(query: Mapping[str, str], folders: Sequence[Path]) -> Path:
    """The one picture that is asked about. Raises InputError where it is not there or nobody's to see."""
    pictures = pictures_in(query.get("picture", ""))
    if len(pictures) != 1:
        raise InputError("Exactly one picture can be looked at.", "Choose a picture.")
    check_uploads({"images": Path(pictures[0].path)}, folders)
    return existing_file(pictures[0], None)


def _fill(text: str) -> float:
    try:
        fill = float(text)
    except ValueError:
        fill = 0.0
    if not 0.1 <= fill <= 1:
        raise InputError(f"The object cannot take the share {text!r} of its frame.", "Choose a fill up to 1.")
    return fill


def listed_square(crop: Crop, width: int, height: int) -> list[float]:
    """The centre and side of a crop in the shares that `image_arguments` reads; `square_of` gives it back."""
    return [crop.centre_x / width, crop.centre_y / height, crop.side / max(width, height)]


def picture_address(rgba: np.ndarray, side: int) -> str:
    """Premultiplied RGBA (H,W,4) 0..1 as a data address, at most ``side`` pixels on its longer side."""
    picture = Image.fromarray(np.ascontiguousarray(np.round(rgba * 255).astype(np.uint8)), "RGBa")
    picture.thumbnail((side, side), Image.Resampling.BOX)
    buffer = BytesIO()
    picture.convert("RGBA").save(buffer, "WEBP", quality=88)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"
