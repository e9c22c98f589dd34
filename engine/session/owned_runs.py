"""What an owner does with runs that have ended, and what is found of them: names, stars, the trash, and
deleting for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import InputError, StateError
from engine.session.jobs import Board
from engine.session.label import Label
from engine.session.library_catalogue import TOKEN, LibraryCatalogue
from engine.session.library_index import Entry, Found, Search
from engine.session.record import ENDED, JobRecord
from engine.session.recovery import claimed
from engine.session.thumbnails import THUMBNAIL


class OwnedRuns:
    """The runs of a session by whose they are. Every method raises InputError for what is not the owner's."""

    def __init__(self, board: Board, catalogue: LibraryCatalogue) -> None:
        self._board, self.catalogue = board, catalogue

    def search(self, owner: str, search: Search) -> Found:
        """The owner's runs, newest first, each in the state that it is in now."""
        page = self.catalogue.search(replace(search, owner=owner))
        return replace(page, entries=tuple(map(self._present, page.entries)))

    def bytes_of(self, owner: str) -> int:
        """What the owner's runs take on disk, those in the trash too."""
        kept = [*self._entries(owner), *self._entries(owner, trashed=True)]
        return sum(self._bytes(entry) for entry in kept)

    def tokens(self, owner: str, state: str = "") -> list[str]:
        """Of all the owner's runs that this session looks after, and of those that have ended, newest first;
        those in one ``state``, if it is named. Nothing is read but the index.
        """
        indexed = {
            entry.token: (entry.created, entry.state)
            for entry in self._entries(owner)
            if entry.state in ENDED
        }
        own = {
            job.record.token: (job.record.created, job.record.state)
            for job in self._board.all()
            if job.record.owner == owner
        }
        known = {token: facts for token, facts in {**indexed, **own}.items() if state in ("", facts[1])}
        return sorted(known, key=lambda token: known[token][0], reverse=True)

    def present(self, tokens: Iterable[str]) -> Iterator[str]:
        """Those whose folders are still there."""
        return (token for token in tokens if self._board.reach(token) is not None)

    def submitted(self, owner: str, client_key: str) -> JobRecord | None:
        """What an owner has submitted under a key."""
        if not client_key:
            return None
        records = [job.record for job in self._board.all()]
        known = next((each for each in records if (each.owner, each.client_key) == (owner, client_key)), None)
        job = None if known else self._board.reach(self.catalogue.index.keyed(owner, client_key))
        return known or (None if job is None else job.record)

    def _entries(self, owner: str, trashed: bool = False) -> tuple[Entry, ...]:
        return self.catalogue.search(Search(owner, trashed=trashed, most=-1)).entries

    def _bytes(self, entry: Entry) -> int:
        """Of a run that this session has to do with, as it is on the disk now."""
        return (
            entry.bytes
            if self._board.find(entry.token) is None
            else self._board.library.bytes_of(entry.token)
        )

    def queue_position(self, token: str) -> int:
        """1 for the run that goes next, 0 for one that does not wait."""
        return self._board.position(token)

    def thumbnail(self, token: str) -> Path | None:
        """The picture of a run that has ended, in the trash or not; None where there is none."""
        path = self.catalogue.folder(token) / THUMBNAIL if TOKEN.fullmatch(token) else None
        return path if path is not None and path.is_file() else None

    def indexed_bytes(self, owner: str) -> int:
        """As `bytes_of`, without a look at the disk: as it was when each run was written last."""
        return sum(
            self.catalogue.search(Search(owner, trashed=trashed, most=0)).bytes for trashed in (False, True)
        )

    def owner(self, token: str) -> str:
        """Whose run it is."""
        return self._board.get(token).record.owner

    def changed_on_disk(self, token: str) -> None:
        """Something was written into the folder of a run that has ended."""
        self.catalogue.reread(token)

    def label(self, token: str) -> Label:
        """What was written on a run."""
        return self.catalogue.label(token)

    def relabel(self, token: str, owner: str, values: Mapping[str, Any]) -> Label:
        """Change a run's ``name``, ``starred``, ``tags`` or ``notes``, and return its label. Raises
        StorageError, too.
        """
        record = self._board.get(token).record
        self._check_owner(record.owner, owner)
        label = self.catalogue.label(token).with_values(values)
        self.catalogue.relabel(token, label)
        return label

    def waiting(self, owner: str) -> list[str]:
        """The owner's runs that wait, in the order in which they will go."""
        return [token for token in self._board.order() if self.owner(token) == owner]

    def reorder(self, token: str, owner: str, place: int) -> None:
        """Let a run that waits be number ``place``, from 0, of the owner's that do; also after the next
        start.
        """
        self._check_owner(self.owner(token), owner)
        for job in self._board.reorder(token, place):
            self._board.save(job)

    def to_free(self, owner: str, size: int) -> list[Entry]:
        """What would go first to free at least ``size`` bytes: the trash, then runs without a star that have
        ended, oldest first.

        Nothing goes by itself; a person decides.
        """
        return list(self.catalogue.spare(owner, size))

    def trash(self, token: str, owner: str) -> None:
        """Put a run that has ended into the trash."""
        with claimed(self._board, token) as job:
            self._board.remove(job, lambda record: self._check(record, owner), self.catalogue.trash)

    def discard(self, token: str, owner: str) -> bool:
        """Put a draft that was not chosen into the trash; False where it has not been put down yet, and is to
        be stopped.
        """
        with claimed(self._board, token) as job:
            self._check_owner(job.record.owner, owner)
            with self._board.changed:
                if job.record.state not in ENDED:
                    if job.events is not None or job.record.state == "running":
                        return False
                    self._board.move(job, "stopped")
            self._board.save(job)
        self.trash(token, owner)
        return True

    def restore(self, token: str, owner: str) -> None:
        """Take a run out of the trash."""
        self._check_trashed(token, owner)
        with self._board.library.deciding():
            self.catalogue.restore(token)
            if self._board.reach(token) is None:
                self._board.add(self._board.library.read(token))

    def delete(self, token: str, owner: str) -> None:
        """Delete a run that has ended, with its files and for ever, from the library or from the trash."""
        if self._board.reach(token) is None:
            self._check_trashed(token, owner)
            self.catalogue.purge(token)
            return
        with claimed(self._board, token) as job:
            self._board.remove(job, lambda record: self._check(record, owner), self._board.library.remove)
        self.catalogue.forget(token)

    def empty_trash(self, owner: str) -> int:
        """Delete all of the owner's runs in the trash; returns how many."""
        entries = self.catalogue.search(Search(owner, trashed=True, most=-1)).entries
        for entry in entries:
            self.catalogue.purge(entry.token)
        return len(entries)

    def _present(self, entry: Entry) -> Entry:
        """With the state of the job on the board, which is ahead of what was written last."""
        job = self._board.find(entry.token)
        return (
            entry
            if job is None
            else replace(entry, state=job.record.state, step=job.record.progress.total_step)
        )

    def _check(self, record: JobRecord, owner: str) -> None:
        self._check_owner(record.owner, owner)
        if record.state not in ENDED:
            raise StateError("This run has not ended, so it is not deleted.", "Press Stop first.")

    def _check_owner(self, whose: str, owner: str) -> None:
        if not owner or whose != owner:
            raise InputError(
                "Only who started a run can delete or change it.",
                "Open it in the browser in which it was started.",
            )

    def _check_trashed(self, token: str, owner: str) -> None:
        """Raises InputError unless the owner's run is in the trash; who has only guessed learns nothing."""
        entry = self.catalogue.index.entry(token)
        if not owner or entry is None or not entry.trashed or entry.owner != owner:
            raise InputError("There is no such run in the trash.", "Look for it in the library.")
