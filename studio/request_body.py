"""What a browser sends to our own routes, of which no more is held than makes sense."""

from __future__ import annotations

from starlette.requests import Request

from engine.errors import InputError


async def bounded_body(request: Request, most: int) -> bytes:
    """What was sent; no more than ``most`` bytes are ever held. Raises InputError for more."""
    held = bytearray()
    async for part in request.stream():
        if len(held) + len(part) > most:
            raise InputError(f"More than {most:,} bytes were sent.", "Send less.")
        held += part
    return bytes(held)
