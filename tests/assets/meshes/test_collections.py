"""Public collections for the shelf: fetched from a local server, gone on with, refused where they are not
what was announced.
"""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.errors import FileFormatError, InputError, MissingError, StorageError
from engine.prior.transfer import PART
from engine.retrieval import collections
from engine.retrieval.collections import (
    PLACE,
    collection_names,
    fetch_collection,
    fetched_in,
    find_collection,
    missing_files,
)
from engine.retrieval.sweet_home import CATALOGUE, catalogue_of, unpack_furniture
from engine.session.reference_lookup import References
from studio.cli import main
from tests.assets.meshes.models import WEDGE, write_obj


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder of two models behind HTTP, and a folder that describes it as the collection ``two``."""
    site, described = tmp_path / "site", tmp_path / "described"
    (site / "deep er").mkdir(parents=True)
    described.mkdir()
    write_obj(site / "wedge.obj")
    write_obj(site / "deep er" / "thing.obj", WEDGE * 2)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rows = [(path.relative_to(site).as_posix(), path.read_bytes()) for path in sorted(site.rglob("*.obj"))]
    files = ", ".join(
        f'["{name}", {len(data)}, "{hashlib.sha256(data).hexdigest()}", "a zither"]' for name, data in rows
    )
    (described / "two.toml").write_text(
        'title = "Two things"\nauthor = "Ann"\nlicence = "CC0 1.0"\npage = "https://example.org"\n'
        f'[[parts]]\nbase = "http://127.0.0.1:{server.server_port}/"\nfiles = [{files}]\n',
        encoding="utf-8",
    )
    yield site, described
    server.shutdown()
    server.server_close()


def test_every_shipped_collection_is_whole() -> None:
    assert collection_names()
    for name in collection_names():
        collection = find_collection(name)
        assert (
            collection.models > 50 and collection.licence.startswith("CC0") and collection.size < 100_000_000
        )
        assert all(file.url.startswith("https://") and len(file.sha256) == 64 for file in collection.files)
        assert len({file.path for file in collection.files}) == len(collection.files)


def test_a_collection_is_fetched_and_stands_on_the_shelf(served: tuple[Path, Path], tmp_path: Path) -> None:
    collection, library = find_collection("two", served[1]), tmp_path / "library"
    folder, seen = library / PLACE / "two", []
    fetch_collection(collection, folder, seen.append)
    assert seen[-1] == collection.size and seen == sorted(seen) and not missing_files(collection, folder)
    assert fetched_in(library) == (folder,)
    items = {item.id: item for item in References(library).shelf().items}
    item = items["two/deep er/thing.obj"]
    assert item.caption == "a zither" and item.licence == "CC0 1.0, Ann"
    seen.clear()
    fetch_collection(collection, folder, seen.append)
    assert not seen  # nothing was lacking


def test_an_interrupted_fetch_goes_on_where_it_was(served: tuple[Path, Path], tmp_path: Path) -> None:
    collection = find_collection("two", served[1])
    first, second = collection.files

    def until_the_second(there: int) -> None:
        if there > first.size:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_collection(collection, tmp_path / "out", until_the_second)
    assert missing_files(collection, tmp_path / "out") == (second,)
    (served[0] / first.path).unlink()  # what is there is not asked for again
    fetch_collection(collection, tmp_path / "out")
    assert not missing_files(collection, tmp_path / "out")


def test_what_is_not_as_announced_is_not_kept(served: tuple[Path, Path], tmp_path: Path) -> None:
    path = served[0] / "wedge.obj"
    path.write_bytes(path.read_bytes()[:-1] + b"#")
    with pytest.raises(MissingError, match="damaged"):
        fetch_collection(find_collection("two", served[1]), tmp_path / "out")
    assert not (tmp_path / "out" / "wedge.obj").exists() and not list((tmp_path / "out").rglob(f"*{PART}"))


def test_a_file_that_is_gone_is_named(served: tuple[Path, Path], tmp_path: Path) -> None:
    (served[0] / "wedge.obj").unlink()
    with pytest.raises(MissingError, match=r"wedge\.obj could not be fetched.*not found") as error:
        fetch_collection(find_collection("two", served[1]), tmp_path / "out")
    assert "kept" in error.value.remedy


def test_a_full_disk_is_said_before_anything_is_fetched(
    served: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    with pytest.raises(StorageError, match="Two things needs"):
        fetch_collection(find_collection("two", served[1]), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("place", ["../wedge.obj", "/etc/wedge.obj", "a/../../wedge.obj"])
def test_a_path_that_leads_out_is_refused(served: tuple[Path, Path], place: str) -> None:
    path = served[1] / "two.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"wedge.obj"', f'"{place}"'), encoding="utf-8")
    with pytest.raises(FileFormatError, match="leads out"):
        find_collection("two", served[1])


def test_another_name_is_answered_with_the_nearest(served: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="'tow'") as error:
        find_collection("tow", served[1])
    assert "two" in error.value.remedy


def test_the_command_shows_size_and_licence_and_asks(
    served: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(collections, "_described", lambda folder: served[1])
    library = ["--library", str(tmp_path / "library")]
    assert main(["shelf", "--collections", *library]) == 0
    assert "2 models  [0 MB to fetch; CC0 1.0; https://example.org]" in capsys.readouterr().out
    assert main(["shelf", "--fetch", "two", *library]) != 0  # nobody is there to say yes
    told = capsys.readouterr()
    assert "CC0 1.0" in told.out and "127.0.0.1" in told.out and "--yes" in told.err
    assert not (tmp_path / "library").exists()
    assert main(["shelf", "--fetch", "two", "--yes", *library]) == 0
    assert main(["shelf", "--search", "a zither", "--top", "2", *library]) == 0
    assert "two/wedge.obj" in capsys.readouterr().out


LIBRARY = """# a comment
name#1=Chaise \\u00e0 bascule
model#1=/models/chair.obj
creator#1=Eve
license#1=CC-BY 3.0
name#2 = A lamp
model#2 = /models/lamp.kmz
name#3=No model
"""


def write_library(path: Path, text: str = LIBRARY) -> None:
    write_obj(path.parent / "chair.obj")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(CATALOGUE, text.encode("latin-1"))
        archive.write(path.parent / "chair.obj", "models/chair.obj")
        archive.writestr("models/lamp.kmz", b"nothing")


def test_a_catalogue_is_read() -> None:
    chair, lamp = catalogue_of(LIBRARY)
    assert (chair.name, chair.model, chair.creator, chair.licence) == (
        "Chaise à bascule",
        "models/chair.obj",
        "Eve",
        "CC-BY 3.0",
    )
    assert lamp.name == "A lamp"


def test_a_furniture_library_stands_on_the_shelf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_library(tmp_path / "rooms.sh3f")
    library = tmp_path / "library"
    assert main(["shelf", "--add", str(tmp_path / "rooms.sh3f"), "--library", str(library)]) == 0
    assert "1 models are on the shelf now; 1 of another kind are left out" in capsys.readouterr().out
    items = {item.id: item for item in References(library).shelf().items}
    item = items["rooms/models/chair.obj"]
    assert item.caption == "Chaise à bascule" and item.licence == "CC-BY 3.0, Eve"
    assert main(["shelf", "--add", str(tmp_path / "rooms.sh3f"), "--library", str(library)]) != 0
    assert "there already" in capsys.readouterr().err


def test_what_is_no_furniture_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.sh3f").write_bytes(b"PK nothing")
    with pytest.raises(FileFormatError, match="no furniture library"):
        unpack_furniture(tmp_path / "x.sh3f", tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "y.sh3f", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(FileFormatError, match=CATALOGUE):
        unpack_furniture(tmp_path / "y.sh3f", tmp_path / "out")
    write_library(tmp_path / "z.sh3f")
    monkeypatch.setattr("engine.retrieval.sweet_home.MOST_BYTES", 10)
    with pytest.raises(InputError, match="unpacked"):
        unpack_furniture(tmp_path / "z.sh3f", tmp_path / "out")
    assert not (tmp_path / "out").exists()
