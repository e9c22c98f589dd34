"""``python fetching_page.py FOLDER PORT``: the whole page, with one prior that is on a Hub on loopback and
not on this machine.

Only the Hub is a double: the entry, the download and the page are what the studio uses.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parent))

from studio_doubles import announce, catalogue, open_double

from engine.prior import transfer
from engine.prior.entries import PriorEntry, read_entry
from studio.app import serve_page
from studio.catalogue import PriorChoice
from studio.composition import open_fetching

BYTES = 400_000
PARTS = ("unet", "vae", "text_encoder")
ENTRY = """id = "far"
title = "Far away"
family = "latent"
source = "somebody/far"
revision = "0123456789abcdef0123456789abcdef01234567"
size_mb = 1
licence = "CC0-1.0"
resolution = 16
default_guidance_scale = 7.5
"""


def write_repository(folder: Path) -> Path:
    """A pipeline folder with weights that are a row of zeros; complete, and enough to be fetched."""
    index = {part: ["diffusers", "Network"] for part in PARTS}
    for part in PARTS:
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text("{}", encoding="utf-8")
        name = "model" if part == "text_encoder" else "diffusion_pytorch_model"
        header = json.dumps({"w": {"dtype": "U8", "shape": [BYTES], "data_offsets": [0, BYTES]}}).encode()
        content = len(header).to_bytes(8, "little") + header + part.encode().ljust(BYTES, b"\0")
        (folder / part / f"{name}.safetensors").write_bytes(content)
    (folder / "model_index.json").write_text(
        json.dumps({"_class_name": "StableDiffusionPipeline", **index}), encoding="utf-8"
    )
    return folder


def write_entry(folder: Path) -> PriorEntry:
    folder.mkdir(parents=True)
    (folder / "far.toml").write_text(ENTRY, encoding="utf-8")
    return read_entry(folder / "far.toml")


def fake_hub_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "fake_hub", Path(__file__).parents[1] / "prior" / "fake_hub.py"
    )
    sys.modules["fake_hub"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def point_to(address: str, cache: Path) -> None:
    from huggingface_hub import constants

    constants.HF_HUB_CACHE, constants.ENDPOINT = str(cache), address
    constants.HUGGINGFACE_CO_URL_TEMPLATE = address + "/{repo_id}/resolve/{revision}/{filename}"
    os.environ["NO_PROXY"] = "127.0.0.1"


def main(folder: Path, port: int) -> None:
    transfer.CHUNK = 4096
    with fake_hub_module().serve_hub() as hub, open_double(folder / "library") as session:
        hub.repositories["somebody/far"], hub.pace = write_repository(folder / "repository"), 0.02
        point_to(hub.address, folder / "cache")
        doubles = catalogue()
        priors = (*doubles.priors, PriorChoice("far", "Far away", "Fetch it.", any_words=True))
        offered = replace(doubles, priors=priors, fetching=open_fetching([write_entry(folder / "entries")]))
        serve_page(session, offered, host="127.0.0.1", port=port, share=False, on_ready=announce)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
