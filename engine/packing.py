"""How a wheel and a source archive come to hold ``presets``, which lies beside the packages: as
``engine/presets``.

Setuptools calls this while it builds (``pyproject.toml``); nothing else of the studio is imported then.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py

PRESETS = "presets"


class BuildWithPresets(build_py):
    """Builds the packages, and puts the presets into them; an editable install finds them where they are."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for path in preset_files():
                built = Path(self.build_lib, "engine", path)
                built.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, built)

    def get_source_files(self) -> list[str]:
        """Which files a source archive must hold, relative to the folder that is built."""
        return [*super().get_source_files(), *map(str, preset_files())]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Which files are built."""
        own = (
            []
            if self.editable_mode
            else [str(Path(self.build_lib, "engine", path)) for path in preset_files()]
        )
        return [*super().get_outputs(include_bytecode), *own]


def preset_files() -> list[Path]:
    """Every file of the presets, relative to the folder that is built."""
    return sorted(
        path for path in Path(PRESETS).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
