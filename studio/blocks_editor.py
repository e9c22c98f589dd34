"""Behind the blocks editor: what was built becomes a file where uploads lie, and can be read and built on
again.

``assets/blocks.js`` is the editor and ``assets/blocks_source.js`` its place in the reference card.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from engine.assets.meshes.blocks import MAX_BYTES, Block, blocks_in, text_of
from engine.assets.meshes.primitives import write_blocks_glb
from engine.core.paths import given_path
from engine.errors import StudioError, storage_errors
from engine.loop.reference.input_files import existing_file, path_in
from engine.session import Session
from studio.problems import problem_response
from studio.uploads import bounded_body, check_uploads

NAME = "blocks.json"
FRESH = {"Cache-Control": "no-store"}


def kept_build(text: bytes) -> Path:
    """The blocks of ``text`` as a file among the uploads, the same for the same blocks. Raises
    FileFormatError, StorageError.
    """
    plain = text_of(blocks_in(text))
    path = Path(get_upload_folder()) / "blocks" / hashlib.sha256(plain.encode()).hexdigest()[:16] / NAME
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as beside:
            whole = Path(beside) / NAME
            whole.write_text(plain)
            whole.replace(path)  # a link that lies there is replaced, not followed
    return path


def build_of(session: Session, reference: str) -> tuple[Block, ...]:
    """The blocks in a reference's file, which must be an upload or of a run. Raises InputError for any
    other.
    """
    check_uploads(
        {"reference": given_path(path_in(reference))}, (Path(get_upload_folder()), session.library.root)
    )
    with existing_file(reference, None).open("rb") as stream:
        return blocks_in(stream.read(MAX_BYTES + 1))


def glb_of(blocks: tuple[Block, ...]) -> bytes:
    """The blocks for other programs."""
    with tempfile.TemporaryDirectory() as folder:
        write_blocks_glb(Path(folder) / "blocks.glb", blocks)
        return (Path(folder) / "blocks.glb").read_bytes()


def blocks_routes(session: Session) -> list[BaseRoute]:
    """``/reference/blocks`` (POST keeps a build, GET gives one back) and ``/reference/blocks.glb``."""

    async def keep(request: Request) -> Response:
        return await _answered(
            lambda text: JSONResponse({"reference": str(kept_build(text))}, headers=FRESH), request
        )

    async def give(request: Request) -> Response:
        return await _answered(
            lambda _: JSONResponse(
                {"blocks": [asdict(each) for each in requested_build(request)]}, headers=FRESH
            ),
            request,
        )

    async def glb(request: Request) -> Response:
        return await _answered(
            lambda _: Response(
                glb_of(requested_build(request)), media_type="model/gltf-binary", headers=FRESH
            ),
            request,
        )

    def requested_build(request: Request) -> tuple[Block, ...]:
        return build_of(session, request.query_params.get("of", "").strip() or "none")

    return [
        Route("/reference/blocks", keep, methods=["POST"]),
        Route("/reference/blocks", give),
        Route("/reference/blocks.glb", glb),
    ]


async def _answered(work: Callable[[bytes], Response], request: Request) -> Response:
    """``work`` with what was sent, in a thread; a StudioError becomes what happened and what to do."""
    try:
        return await asyncio.to_thread(work, await bounded_body(request, MAX_BYTES))
    except StudioError as error:
        return problem_response(error)
