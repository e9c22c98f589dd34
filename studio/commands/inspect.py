"""``python -m studio inspect FILE...``: what is understood of pictures, models, splats and results, in the
page's words.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from engine.errors import StudioError
from engine.loop.devices import limit_threads
from engine.loop.inspection import Understood, understood

EXIT_BAD_INPUT = 2
UNITS = "x y z, of the sphere that it is scaled into"


def inspect(options: argparse.Namespace) -> int | None:
    """Say it for each file; a file that cannot be used does not keep the others from it. Returns 2 where
    there was one.
    """
    limit_threads()
    documents, failed = [], False
    for path in options.files:
        try:
            file = understood(path)
        except StudioError as error:
            failed = True
            documents.append({"file": str(path), "kind": "", "problem": error.what, "remedy": error.remedy})
            if not options.json:
                print(f"{path}: cannot be used", file=sys.stderr)
                print(f"  {error.what}\n  try: {error.remedy}", file=sys.stderr)
            continue
        documents.append(file.as_json())
        if not options.json:
            print("\n".join(lines_of(file)))
    if options.json:
        print(json.dumps(documents, indent=2, ensure_ascii=False))
    return EXIT_BAD_INPUT if failed else None


def lines_of(file: Understood) -> list[str]:
    """What is understood of one file, for people."""
    return [f"{file.file}: {file.kind}", *(f"  {line}" for line in (*_facts(file.facts), *file.notes))]


def _facts(facts: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in facts.items():
        if name == "width":
            lines.append(f"{value} x {facts['height']} pixels")
        elif name == "object_share":
            lines.append(f"object: {float(value):.0%} of the picture, {facts['object_side']} pixels long")
        elif name == "faces":
            lines.append(f"{value:,} faces")
        elif name == "size":
            lines.append(f"size: {' x '.join(str(each) for each in value)} ({UNITS})")
        elif name == "up":
            sure = float(facts["confidence"])
            lines.append(f"up: {value} of the file{'' if sure == 1 else f', {sure:.0%} sure'}")
        elif name not in ("height", "object_side", "confidence"):
            lines.append(f"{name}: {value}")
    return lines
