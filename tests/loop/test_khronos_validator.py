"""The Khronos validator's opinion of every glTF file that is written: no error and no warning.

It is a package of node: ``npm install -g gltf-validator`` adds it, or ``NODE_PATH`` says where it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from engine.assets.export.formats.base import ExportOptions
from engine.loop.exporting import export
from tests.loop.test_exporting import write_result

pytestmark = pytest.mark.heavy
VALIDATE = """
const validator = require("gltf-validator"), fs = require("fs");
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1]))).then(
  (report) => console.log(JSON.stringify(report)), (error) => { console.error(error); process.exit(1); });
"""


@cache
def environment() -> dict[str, str]:
    """In which node finds the validator; skips where it is not here."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node is not here")
    everywhere = subprocess.run(
        ["npm", "root", "-g"], capture_output=True, text=True, check=True
    ).stdout.strip()
    found = os.environ | {
        "NODE_PATH": os.pathsep.join(filter(None, (os.environ.get("NODE_PATH"), everywhere)))
    }
    asked = subprocess.run(
        ["node", "-e", "require.resolve('gltf-validator')"], env=found, capture_output=True
    )
    if asked.returncode:
        pytest.skip("npm install -g gltf-validator")
    return found


def validated(path: Path) -> dict:
    """The validator's report on a file."""
    told = subprocess.run(
        ["node", "-e", VALIDATE, str(path)], env=environment(), capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_result(tmp_path_factory.mktemp("result"))


@pytest.mark.parametrize("key", ["glb", "glb_textured", "gltf_splats"])
def test_the_khronos_validator_finds_nothing_wrong(key: str, result: Path, tmp_path: Path) -> None:
    environment()
    path = tmp_path / "egg.glb"
    export(result, key, ExportOptions(size_m=0.2, faces=3000, texture_size=256), path)
    issues = validated(path)["issues"]
    grave = [each for each in issues["messages"] if each["severity"] <= 1 and not _names_of_splats(each)]
    assert not issues["truncated"] and not grave, grave
    assert validated(path)["info"]["totalVertexCount"] > 100


def _names_of_splats(issue: dict) -> bool:
    """The validator does not know the names that its own extension KHR_gaussian_splatting prescribes."""
    named = "/attributes/KHR_gaussian_splatting:" in issue.get("pointer", "")
    return named and issue["code"] == "MESH_PRIMITIVE_INVALID_ATTRIBUTE"


def test_the_validator_finds_what_is_wrong(result: Path, tmp_path: Path) -> None:
    environment()
    path = tmp_path / "egg.glb"
    export(result, "glb", ExportOptions(faces=500), path)
    data = path.read_bytes()
    assert b'"POSITION"' in data
    path.write_bytes(data.replace(b'"POSITION"', b'"POSITIOM"'))
    assert validated(path)["issues"]["numErrors"] > 0
