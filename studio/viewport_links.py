"""The clients of a viser server, each linked with the page that it stands in."""

from __future__ import annotations

from contextlib import ExitStack

from viser import ClientHandle, ViserServer

from studio.page_links import PageLinks
from studio.viewport_camera import join_camera
from studio.viewport_crop import Extent, join_crop


def link_pages(server: ViserServer, viewers: dict[int, str], links: PageLinks, extent: Extent) -> None:
    """Link each client with the page that ``viewers`` names by the client's number; those without a name stay
    free.

    ``extent`` tells what the scene takes.
    """
    leaving: dict[int, ExitStack] = {}

    @server.on_client_connect
    async def arrived(client: ClientHandle) -> None:
        name = viewers.get(client.client_id, "")
        if name:
            link = leaving[client.client_id] = ExitStack()
            join_camera(client, name, links.cameras, link)
            join_crop(client, name, links.crops, extent, link)

    @server.on_client_disconnect
    async def left(client: ClientHandle) -> None:
        leaving.pop(client.client_id, ExitStack()).close()
