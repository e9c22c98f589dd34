"""Large files from a Hub on loopback: interrupted and gone on with, cancelled, damaged, and never half in
their place.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import FileFormatError, MissingError
from engine.prior import hub, transfer
from engine.prior.transfer import PART, git_sha1_of, sha256_of

NAME = "unet/diffusion_pytorch_model.safetensors"
HEADER = b'{"w":{"dtype":"U8","shape":[50000],"data_offsets":[0,50000]}}'
CONTENT = len(HEADER).to_bytes(8, "little") + HEADER + bytes(range(250)) * 200


@pytest.fixture
def repository(tmp_path: Path, fake_hub: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one large file and one small."""
    monkeypatch.setattr(transfer, "CHUNK", 4096)
    monkeypatch.setattr(transfer, "PAUSE_SECONDS", 0.0)
    folder = tmp_path / "repository"
    (folder / "unet").mkdir(parents=True)
    (folder / NAME).write_bytes(CONTENT)
    (folder / "model_index.json").write_text("{}", encoding="utf-8")
    fake_hub.repositories["somebody/tiny"] = folder
    return folder


def fetch(report: hub.Report = lambda share: None) -> Path:
    return hub.download("somebody/tiny", "main", ["*.json", "unet/*"], 0, report)


def parts(cache: Path) -> list[Path]:
    return list(cache.rglob(f"*{PART}"))


def interrupted(after: float) -> None:
    """Fetch until this share is there."""

    def report(share: float) -> None:
        if share >= after:
            raise hub.Cancelled("That is enough.")

    with pytest.raises(hub.Cancelled):
        fetch(report)


def test_every_byte_is_counted_and_the_file_is_the_one_that_was_announced(repository: Path) -> None:
    shares: list[float] = []
    place = fetch(shares.append)
    assert (place / NAME).read_bytes() == CONTENT and (place / "model_index.json").read_text() == "{}"
    assert shares[0] == 0 and shares[-1] == 1 and shares == sorted(shares) and len(shares) > 10


def test_what_was_fetched_is_kept_and_gone_on_with(repository: Path, cache: Path, fake_hub: Any) -> None:
    interrupted(0.5)
    (kept,) = parts(cache)
    size = kept.stat().st_size
    assert 0.4 * len(CONTENT) < size < len(CONTENT) and kept.read_bytes() == CONTENT[:size]
    shares: list[float] = []
    place = fetch(shares.append)
    assert fake_hub.ranges == [f"bytes={size}-"] and shares[0] == pytest.approx(size / len(CONTENT), rel=0.01)
    assert (place / NAME).read_bytes() == CONTENT and not parts(cache)


def test_a_connection_that_breaks_is_taken_up_again(repository: Path, fake_hub: Any) -> None:
    fake_hub.break_after = 20_000
    assert (fetch() / NAME).read_bytes() == CONTENT
    assert fake_hub.ranges == ["bytes=20000-"]


def test_what_is_there_is_not_fetched_again(repository: Path, fake_hub: Any) -> None:
    fetch()
    fake_hub.requests.clear()
    fetch()
    assert not any(
        request.startswith("GET") and request.endswith("safetensors") for request in fake_hub.requests
    )


def test_a_damaged_large_file_never_gets_to_its_place(repository: Path, cache: Path, fake_hub: Any) -> None:
    fake_hub.damaged.add(Path(NAME).name)
    with pytest.raises(MissingError, match="SHA-256") as raised:
        fetch()
    assert "deleted" in raised.value.remedy and not parts(cache) and not list(cache.rglob("*.safetensors"))
    fake_hub.damaged.clear()
    assert (fetch() / NAME).read_bytes() == CONTENT


def test_a_damaged_rest_of_an_interrupted_file_is_found_too(repository: Path, cache: Path) -> None:
    interrupted(0.5)
    (kept,) = parts(cache)
    kept.write_bytes(b"\0" * kept.stat().st_size)
    with pytest.raises(MissingError, match="SHA-256"):
        fetch()
    assert (fetch() / NAME).read_bytes() == CONTENT


def test_a_damaged_small_file_is_deleted(repository: Path, cache: Path, fake_hub: Any) -> None:
    fake_hub.damaged.add("model_index.json")
    with pytest.raises(MissingError, match=r"model_index\.json arrived damaged"):
        fetch()
    assert not list(cache.rglob("model_index.json"))
    fake_hub.damaged.clear()
    assert (fetch() / "model_index.json").read_text() == "{}"


def test_weights_that_were_published_broken_are_told_by_their_header(repository: Path) -> None:
    (repository / NAME).write_bytes(CONTENT[:-100])
    with pytest.raises(FileFormatError, match=f"{len(CONTENT):,} bytes"):
        fetch()


def test_a_server_that_never_gives_a_byte_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "PAUSE_SECONDS", 0.0)
    with pytest.raises(OSError, match="refused"):
        transfer.transfer("http://127.0.0.1:9/x", {}, tmp_path / "x", 10, "0" * 64, lambda there: None)


def test_a_token_is_for_the_hub_alone(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large files lie with another host, which is not told who asks."""
    import huggingface_hub

    given: list[dict[str, str]] = []
    real = huggingface_hub.get_hf_file_metadata

    def elsewhere(url: str) -> Any:
        found = real(url)
        return type(found)(
            found.commit_hash, found.etag, found.location.replace("127.0.0.1", "localhost"), found.size, None
        )

    def note(url: str, headers: dict[str, str], target: Path, *rest: Any) -> None:
        given.append(dict(headers))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(CONTENT)

    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(hub, "transfer", note)
    fetch()
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", elsewhere)
    for blob in Path(hub.target_folder("somebody/tiny") / "blobs").iterdir():
        blob.unlink()
    fetch()
    assert "hf_secret" in given[0].get("authorization", given[0].get("Authorization", "")) and given[1] == {}


def test_hashes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello\n")
    assert git_sha1_of(path) == "ce013625030ba8dba906f756967f9e9ca394464a", "as git hash-object says"
    assert sha256_of(path) == hashlib.sha256(b"hello\n").hexdigest()
    os.truncate(path, 0)
    assert sha256_of(path) == hashlib.sha256(b"").hexdigest()
