"""The Hugging Face Hub's cache and downloads, with its errors said in our words."""

from __future__ import annotations

import errno
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.errors import MissingError, StorageError, StudioError
from engine.prior.entries import COMMIT
from engine.prior.transfer import git_sha1_of, transfer
from engine.prior.weights import ENDING, header

Report = Callable[[float], object]
"""Called with the share 0..1 that is done, from whichever thread downloads."""


def cached_folder(repo: str, revision: str, name: str = "model_index.json") -> Path | None:
    """The snapshot of ``repo`` in this machine's cache that holds the file ``name``, complete or not; no
    network is asked.
    """
    from huggingface_hub import try_to_load_from_cache  # slow to import

    cached = try_to_load_from_cache(repo, name, revision=revision)
    return Path(cached).parent if isinstance(cached, str) else None


def download(repo: str, revision: str, patterns: list[str], size_mb: int, report: Report) -> Path:
    """Fetch the files that match, or what is still missing of them, and return their folder.

    An interrupted download goes on where it was. Each file is compared with the hash that the Hub announces,
    and headers of weights are read. ``report`` may raise to end the download. Raises MissingError (gone,
    gated, offline, damaged) or StorageError (no room, not writable), each with a remedy.
    """
    try:
        return _download(repo, revision, patterns, size_mb * 1_000_000, report)
    except StudioError:
        raise
    except (
        Exception
    ) as error:  # which class the network raises depends on the HTTP library that the Hub's client uses
        raise in_our_words(error, repo) from error


def _download(repo: str, revision: str, patterns: list[str], expected: int, report: Report) -> Path:
    from huggingface_hub import snapshot_download

    commit, files = _listing(repo, revision, patterns)
    total, large = (
        max(expected, sum(file.size for file in files), 1),
        [file for file in files if file.lfs is not None],
    )
    done = 0
    for file in large:

        def saw(there: int, before: int = done) -> None:
            report(min(1.0, (before + there) / total))

        _fetch_large(repo, commit, file, saw)
        done += file.size
    place = Path(
        snapshot_download(repo, revision=revision, allow_patterns=patterns, tqdm_class=_silent_bar())
    )
    _verify(place, files)
    if files:
        report(min(1.0, sum(file.size for file in files) / total))
    return place


def rising(report: Report) -> Report:
    """``report``, told only shares that are not below an earlier one: a second look at a repository begins
    anew.
    """
    best = 0.0

    def report_best(share: float) -> None:
        nonlocal best
        best = max(best, share)
        report(best)

    return report_best


def _listing(repo: str, revision: str, patterns: list[str]) -> tuple[str, list[Any]]:
    """The commit, and what the Hub announces of the files that match: path, size, blob_id, lfs with its
    sha256.
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.hf_api import RepoFile
    from huggingface_hub.utils import filter_repo_objects

    api = HfApi(endpoint=constants.ENDPOINT)
    commit = (
        revision if COMMIT.fullmatch(revision) else api.model_info(repo, revision=revision).sha or revision
    )
    files = [
        file
        for file in api.list_repo_tree(repo, recursive=True, revision=commit)
        if isinstance(file, RepoFile)
    ]
    return commit, list(filter_repo_objects(files, allow_patterns=patterns, key=lambda file: file.path))


def _fetch_large(repo: str, commit: str, file: Any, saw: Callable[[int], object]) -> None:
    """Put the blob of a large file where the Hub's client looks for it, named by its SHA-256."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    blob = target_folder(repo) / "blobs" / file.lfs.sha256
    if blob.exists():
        saw(file.size)
        return
    url = hf_hub_url(repo, file.path, revision=commit)
    location = get_hf_file_metadata(url).location
    same_host = urlsplit(location).netloc == urlsplit(url).netloc  # a token is for the Hub alone
    headers = build_hf_headers() if same_host else {}
    transfer(location, headers, blob, file.size, file.lfs.sha256, saw)


def _verify(place: Path, files: list[Any]) -> None:
    """Raises MissingError for a file that is not what the Hub announced; it is deleted, so that it is fetched
    again.
    """
    for file in files:
        path = place / file.path
        good = path.stat().st_size == file.size and (
            file.lfs is not None or git_sha1_of(path) == file.blob_id
        )
        if not good:
            path.resolve().unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise MissingError(
                f"{path} arrived damaged: it is not what the Hub announced.",
                "Fetch it again; the damaged file was deleted.",
            )
        if path.suffix == ENDING:
            header(path)


def target_folder(repo: str) -> Path:
    """Where the cache keeps ``repo``, whether it is there or not."""
    return _cache() / f"models--{repo.replace('/', '--')}"


class Cancelled(StudioError):
    """A download was ended on purpose; what was fetched is kept."""


class GoneError(MissingError):
    """A repository is not there for us: removed, private, or behind a licence gate. A mirror may help."""


def in_our_words(error: Exception, repo: str) -> StudioError:
    """What went wrong while ``repo`` was fetched, and what to do."""
    from huggingface_hub import errors

    page = f"https://huggingface.co/{repo}"
    status = getattr(getattr(error, "response", None), "status_code", getattr(error, "code", None))
    if isinstance(error, errors.GatedRepoError):
        return GoneError(
            f"{repo} asks everyone to accept its licence first.",
            f"Accept it at {page}, run `hf auth login`, and fetch again.",
        )
    if isinstance(error, errors.RepositoryNotFoundError | errors.RevisionNotFoundError) or status in (
        401,
        403,
    ):
        return GoneError(
            f"{repo} is not on the Hub at that revision, or it is private.",
            f"Look at {page}; if it is private, run `hf auth login`.",
        )
    if status is not None:
        return MissingError(
            f"The Hub answered {status} for {repo}.", "Try again later; what was fetched is kept."
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"The disk is full: {repo} could not be stored in {_cache()}.",
            "Free some space, or set HF_HOME to a larger disk.",
        )
    if isinstance(error, PermissionError):
        return StorageError(
            f"{_cache()} cannot be written, so {repo} was not stored.", "Set HF_HOME to a folder of yours."
        )
    reason = (str(error).strip() or type(error).__name__).split("\n")[0]
    return MissingError(
        f"{repo} is not on this machine and could not be fetched: {reason}",
        "Check the network connection and HF_HUB_OFFLINE; what was fetched is kept.",
    )


def free_bytes() -> int:
    """Room on the disk that holds the cache."""
    folder = _cache()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _silent_bar() -> type:
    """A tqdm that draws nothing."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "file": io.StringIO()})

    return Bar
