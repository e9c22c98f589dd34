"""Formats to export to, one file each; the file's name is the format's key."""

from __future__ import annotations

import pkgutil

from engine.assets.export.formats.base import ExportFormat
from engine.lazy import imported


def export_formats() -> dict[str, ExportFormat]:
    """Every format in this package: key -> format, found by looking for modules that define ``FORMAT``.

    A folder that is appended to ``engine.assets.export.formats.__path__`` is part of the package.
    """
    formats = {}
    for module in pkgutil.iter_modules(__path__):
        each = getattr(imported(f"{__name__}.{module.name}"), "FORMAT", None)
        if each is not None:
            formats[module.name] = each
    return dict(sorted(formats.items(), key=lambda item: (ORDER.index(item[1].content), item[0])))


ORDER = ("mesh", "texture", "splats", "film")
