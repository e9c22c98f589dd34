"""Pictures for watchers: the newest copy, the newest camera, at once, and never in the engine's way."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from engine.core.camera import Camera, orbit_camera
from engine.errors import FileFormatError, InputError
from engine.loop.messages import SceneCopy
from engine.loop.spec import Knobs
from engine.session import Frame, Session
from engine.session.frame_renderer import FORGET_SECONDS, FrameRenderer
from engine.session.frame_requests import FrameRequest
from tests.session.fakes import FakeFrames, FakeRun, copy_of, eventually, load_fake_copy, settings_of

PATIENCE = 30.0


def camera(azimuth_deg: float = 0.0, width: int = 8) -> Camera:
    return orbit_camera(azimuth_deg, 15.0, 3.0, 40.0, width)


@pytest.fixture
def token(session: Session, run: FakeRun) -> str:
    """A run in the middle of its second step that somebody has watched from the beginning."""
    run.hold()
    token = session.submit(settings_of(steps=1000), "ada")
    assert session.frame(token, "me", camera(), -1, 0.0) is None  # nothing to see yet, but now somebody looks
    run.allow(2)
    eventually(lambda: run.inside[1] == 3)
    return token


def test_a_frame_shows_the_newest_copy_and_cannot_be_written_to(
    session: Session, run: FakeRun, token: str
) -> None:
    frame = session.frame(token, "me", camera(), -1, PATIENCE)
    assert isinstance(frame, Frame) and frame.rgb.shape == (8, 8, 3) and frame.rgb.dtype == np.uint8
    assert frame.total_step == 2 and (frame.rgb == 2).all() and frame.revision == 0
    with pytest.raises(ValueError):
        frame.rgb[:] = 0


def test_the_same_frame_is_not_sent_twice_and_a_new_step_makes_a_new_one(
    session: Session, run: FakeRun, token: str
) -> None:
    first = session.frame(token, "me", camera(), -1, PATIENCE)
    assert session.frame(token, "me", camera(), first.serial, 0.05) is None
    found: list[Frame | None] = []
    waiter = threading.Thread(
        target=lambda: found.append(session.frame(token, "me", camera(), first.serial, PATIENCE))
    )
    waiter.start()
    run.allow(1)
    waiter.join()
    assert found[0].total_step == 3 and found[0].serial > first.serial


def test_a_change_of_knobs_shows_in_the_next_frame_with_its_revision(
    session: Session, run: FakeRun, token: str
) -> None:
    serial = session.frame(token, "me", camera(), -1, PATIENCE).serial
    revision = session.set_knobs(token, {"guidance_scale": 30.0})
    run.allow(2)
    frame = session.frame(token, "me", camera(), serial, PATIENCE)
    while frame.revision != revision:
        frame = session.frame(token, "me", camera(), frame.serial, PATIENCE)
    assert session.view(token).applied_at_step == frame.total_step <= 4


def test_two_watchers_see_the_same_step_from_their_own_sides(
    session: Session, frames: FakeFrames, token: str
) -> None:
    mine = session.frame(token, "me", camera(0, 8), -1, PATIENCE)
    yours = session.frame(token, "you", camera(90, 16), -1, PATIENCE)
    assert (mine.rgb.shape, yours.rgb.shape) == (
        (8, 8, 3),
        (16, 16, 3),
    ) and mine.total_step == yours.total_step == 2
    # not disturbed by the other
    assert session.frame(token, "me", camera(0, 8), mine.serial - 1, PATIENCE) is not None


def test_the_newest_camera_wins(session: Session, frames: FakeFrames, token: str) -> None:
    """Cameras that are replaced while a picture is being made are never drawn."""
    session.frame(token, "me", camera(), -1, PATIENCE)
    frames.gate.clear()
    found: list[Frame | None] = []

    def look(width: int) -> None:
        found.append(session.frame(token, "me", camera(0, width), -1, PATIENCE))

    turns = [threading.Thread(target=look, args=(width,)) for width in (11, 12, 13)]
    for width, turn in zip((11, 12, 13), turns):
        turn.start()
        eventually(
            lambda width=width: (
                session._frame_renderer._subscriptions[token, "frame me"].request.key[2] == width
            )
        )
    eventually(lambda: frames.calls[-1][1] in (11, 12, 13))
    first = frames.calls[-1][1]
    frames.gate.set()
    for turn in turns:
        turn.join()
    drawn = [width for _, width in frames.calls[1:]]
    assert drawn in ([first, 13], [13]) and all(frame.rgb.shape[1] == 13 for frame in found)


def test_who_waits_with_an_old_camera_is_answered_from_the_new_one(
    session: Session, run: FakeRun, token: str
) -> None:
    session.pause(token)
    run.allow(1)
    eventually(lambda: session.view(token).state == "paused")
    first = session.frame(token, "me", camera(), -1, PATIENCE)
    found: list[Frame | None] = []
    waiter = threading.Thread(
        target=lambda: found.append(session.frame(token, "me", camera(), first.serial, PATIENCE))
    )
    waiter.start()
    eventually(lambda: any(each.waiting for each in list(session._frame_renderer._subscriptions.values())))
    session.aim(token, "me", camera(90.0, 12))
    waiter.join(PATIENCE)
    assert found and found[0].rgb.shape[1] == 12


def test_a_camera_that_never_rests_does_not_keep_pictures_back(frames: FakeFrames) -> None:
    """It moves while each picture is made; the picture is shown all the same, and the next one is newer."""
    room = FrameRenderer(FakeArchive())

    def moving(number: int) -> FrameRequest:
        def make(copy: SceneCopy) -> int:
            room.change_request("run", "me", moving(number + 1))
            return number

        return FrameRequest(number, make)

    room.offer("run", copy_of(7, 0, Knobs()))
    room.start()
    first = room.ask("run", "me", moving(0), -1, PATIENCE)
    # it waits that long for a camera that rests
    later = room.ask("run", "me", moving(first.value + 1), first.serial, 2.0)
    room.close()
    assert later.value > first.value and room.join(PATIENCE)


@pytest.mark.parametrize("before_it_is_made", [True, False])
def test_a_camera_that_comes_back_is_answered_by_its_picture(before_it_is_made: bool) -> None:
    """It goes away and returns, while its picture is made or when it has just been: that picture is what it
    waits for.
    """
    room, begun, gate = FrameRenderer(FakeArchive()), threading.Event(), threading.Event()

    def make(copy: SceneCopy) -> bool:
        begun.set()
        return gate.wait(PATIENCE)

    here = FrameRequest("here", make)
    away = FrameRequest("away", lambda copy: None)
    room.offer("run", copy_of(7, 0, Knobs()))
    room.start()
    room.ask("run", "me", here, -1, 0.0, keep=True)
    assert begun.wait(PATIENCE)
    if not before_it_is_made:
        gate.set()
        eventually(lambda: room._subscriptions["run", "me"].frame)
    room.change_request("run", "me", away)
    threading.Timer(0.05, gate.set).start()
    frame = room.ask("run", "me", here, -1, 5.0)
    room.close()
    assert frame is not None and frame.key == "here" and room.join(PATIENCE)


def test_drawing_holds_no_lock(session: Session, run: FakeRun, frames: FakeFrames, token: str) -> None:
    """While a picture takes its time the run goes on, and everything can be asked and steered."""
    frames.gate.clear()
    waiter = threading.Thread(target=session.frame, args=(token, "me", camera(), -1, PATIENCE))
    waiter.start()
    eventually(lambda: frames.calls)
    run.allow(5)
    eventually(lambda: session.view(token).total_step == 7)
    session.set_knobs(token, {"guidance_scale": 9.0})
    session.pause(token)
    assert session.view(token).state == "paused" and session.jobs("ada")
    frames.gate.set()
    waiter.join()


def test_a_picture_that_cannot_be_drawn_is_a_warning(
    session: Session, run: FakeRun, frames: FakeFrames, token: str
) -> None:
    frames.broken = True
    assert session.frame(token, "me", camera(), -1, 0.3) is None
    eventually(lambda: session.view(token).warnings)
    assert "no ink" in session.view(token).warnings[0][0] and len(frames.calls) == 1
    frames.broken = False
    run.allow(1)
    assert session.frame(token, "me", camera(), -1, PATIENCE).total_step == 3
    assert session.view(token).state == "running" and len(session.view(token).warnings) == 1


def test_a_finished_run_is_drawn_for_new_cameras(session: Session, run: FakeRun, token: str) -> None:
    session.stop(token)
    run.free()
    assert session.wait(token, PATIENCE).state == "stopped"
    frame = session.frame(token, "late", camera(45, 12), -1, PATIENCE)
    assert frame.total_step == 3 and frame.rgb.shape == (12, 12, 3)


def test_a_paused_run_is_drawn_for_new_cameras(session: Session, run: FakeRun, token: str) -> None:
    session.pause(token)
    assert session.frame(token, "me", camera(70, 10), -1, PATIENCE).rgb.shape == (10, 10, 3)


def test_strip_cloud_and_pictures(session: Session, run: FakeRun, token: str) -> None:
    strip, cloud, pictures = session.strip(token), session.cloud(token, -1), session.pictures(token)
    assert strip.images.shape[0] == 8 and strip.total_step == cloud.total_step == pictures.total_step == 2
    assert (cloud.centers.shape, cloud.covariances.shape, cloud.rgbs.shape) == ((5, 3), (5, 3, 3), (5, 3))
    assert cloud.opacities.shape == (5, 1)
    assert not any(
        array.flags.writeable for array in (strip.images, cloud.centers, cloud.opacities, pictures.images)
    )
    assert session.cloud(token, after_step=2) is None
    run.allow(1)
    eventually(lambda: (newer := session.cloud(token, after_step=2)) is not None and newer.total_step == 3)
    eventually(lambda: session.strip(token).total_step == 3)


def test_there_is_nothing_to_see_of_a_queued_run_and_asking_does_not_block(
    session: Session, run: FakeRun
) -> None:
    run.hold()
    session.submit(settings_of("first"), "ada")
    token = session.submit(settings_of("second"), "ada")
    assert (
        session.strip(token) is None and session.cloud(token, -1) is None and session.pictures(token) is None
    )
    for look in (session.strip, session.pictures):
        with pytest.raises(InputError):
            look("unknown")
    with pytest.raises(InputError):
        session.frame("unknown", "me", camera(), -1, 0.0)


def test_a_run_that_nobody_watches_copies_nothing(session: Session, run: FakeRun, frames: FakeFrames) -> None:
    session.wait(session.submit(settings_of(), "ada"), PATIENCE)
    assert run.watched == [False] and frames.calls == []


def test_results_of_an_earlier_session_are_opened_when_somebody_looks(
    open_session, run: FakeRun, frames: FakeFrames
) -> None:
    opened: list[Path] = []

    def load_copy(folder: Path) -> SceneCopy:
        opened.append(folder)
        return load_fake_copy(folder)

    first = open_session()
    token = first.submit(settings_of(), "ada")
    assert first.wait(token, PATIENCE).state == "done" and first.close()
    second = open_session(load_copy=load_copy)
    assert [view.state for view in second.jobs("ada")] == ["done"] and opened == []
    assert second.frame(token, "me", camera(), -1, PATIENCE).total_step == 5
    assert second.strip(token).total_step == 5 and second.cloud(token, -1).total_step == 5
    assert opened == [second.library.folder(token)]


def test_a_result_that_cannot_be_opened_is_a_warning(open_session) -> None:
    def load_copy(folder: Path) -> SceneCopy:
        raise FileFormatError("The checkpoint is corrupt.", "Run the recipe again.")

    first = open_session()
    token = first.submit(settings_of(), "ada")
    first.wait(token, PATIENCE)
    first.close()
    second = open_session(load_copy=load_copy)
    assert second.frame(token, "me", camera(), -1, 0.2) is None
    eventually(
        lambda: second.view(token).warnings == (("The checkpoint is corrupt.", "Run the recipe again."),)
    )


class FakeArchive:
    """Notes who is watched; loads what it is given."""

    def __init__(self, copy: SceneCopy | None = None) -> None:
        self.copy, self.watches, self.going = copy, [], False

    def load(self, token: str) -> SceneCopy | None:
        return self.copy

    def can_load(self, token: str) -> bool:
        return self.copy is not None

    def may_forget(self, token: str) -> bool:
        return self.copy is not None

    def busy(self) -> bool:
        return self.going

    def watch(self, token: str, on: bool) -> None:
        self.watches.append((token, on))

    def warn(self, token: str, what: str, remedy: str) -> None:
        raise AssertionError(what)


def test_a_watcher_is_forgotten_after_a_while_and_only_the_last_ends_the_watch() -> None:
    now, archive = [0.0], FakeArchive()
    room = FrameRenderer(archive, clock=lambda: now[0])
    wish = FrameRequest("key", lambda copy: copy.total_step)
    room.ask("run", "me", wish, -1, 0.0)
    now[0] = FORGET_SECONDS - 1
    room.ask("run", "you", wish, -1, 0.0)
    now[0] = FORGET_SECONDS + 1
    room.clear_away()
    assert archive.watches == [("run", True)]
    now[0] = 2 * FORGET_SECONDS
    room.clear_away()
    assert archive.watches == [("run", True), ("run", False)]
    room.ask("run", "me", wish, -1, 0.0)
    assert archive.watches[-1] == ("run", True)


def test_copies_are_kept_while_watched_and_dropped_where_they_can_be_had_again() -> None:
    now, copy = [0.0], copy_of(7, 0, Knobs())
    kept, dropped = (FrameRenderer(FakeArchive(loadable), clock=lambda: now[0]) for loadable in (None, copy))
    for room in (kept, dropped):
        room.offer("run", copy)
        room.ask("run", "me", FrameRequest("key", lambda copy: 0), -1, 0.0)
        room.clear_away()
        assert room.newest("run") is copy
    now[0] = FORGET_SECONDS + 1
    kept.clear_away()
    dropped.clear_away()
    assert kept.newest("run") is copy and dropped.newest("run") is None
