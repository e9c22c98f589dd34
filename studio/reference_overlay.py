"""The reference as a ghost in the live picture: its triangles for the browser, and the pose that is set
there.

``assets/ghost.js`` draws it over the picture, from the same camera, and lets it be turned.
"""

from __future__ import annotations

import asyncio
import struct

import gradio as gr
import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from engine.assets.meshes.canonical_pose import Orientation
from engine.assets.meshes.mesh_shape import RawMesh, ReferenceShape
from engine.assets.meshes.repair import coarser
from engine.errors import StudioError
from engine.session import Session
from studio.problems import problem_response
from studio.reference_queries import ReferenceDesk

MOST_FACES = 6000
POSED = "(pose) => { const { up, turn } = JSON.parse(pose); return [up, turn]; }"


def draw_pose() -> gr.HTML:
    """What the ghost writes ``{"up": "z", "turn": 90}`` into; nothing of it is seen."""
    return gr.HTML(
        '{"up": "auto", "turn": 0}',
        html_template='<i class="mq-pose"></i>',
        js_on_load="maquette.mountPose(props, trigger)",
        apply_default_css=False,
        elem_id="mq-pose",
    )


def ghost_bytes(shape: ReferenceShape) -> bytes:
    """At most ``MOST_FACES`` triangles: their number (uint32), corners (N,3,3) in 1/32767 (int16), colours
    (N,3) (uint8).
    """
    mesh = RawMesh(shape.vertices.astype(np.float64), shape.faces, shape.face_colours)
    if len(mesh.faces) > MOST_FACES:
        mesh = coarser(mesh, MOST_FACES)
    corners = np.round(np.clip(mesh.vertices[mesh.faces], -1, 1) * 32767).astype("<i2")
    colours = np.round(np.clip(mesh.face_colours, 0, 1) * 255).astype(np.uint8)
    return struct.pack("<I", len(corners)) + corners.tobytes() + colours.tobytes()


def ghost_routes(session: Session) -> list[BaseRoute]:
    """``/reference/ghost?of=REFERENCE&up=AXIS``: the reference with that axis up, not turned."""
    desk = ReferenceDesk(session)

    async def ghost(request: Request) -> Response:
        query = request.query_params
        try:
            data = await asyncio.to_thread(
                _ghost, desk, query.get("of", "").strip() or "none", query.get("up", "auto")
            )
        except StudioError as error:
            return problem_response(error)
        return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})

    return [Route("/reference/ghost", ghost)]


def _ghost(desk: ReferenceDesk, reference: str, up: str) -> bytes:
    return ghost_bytes(desk.shape(reference, Orientation(up)))  # type: ignore[arg-type]
