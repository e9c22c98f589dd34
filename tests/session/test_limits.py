"""What one person may ask of a session, and what watching costs the run that is watched."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.camera import orbit_camera
from engine.errors import InputError
from engine.loop.memory_check import check_room, step_bytes
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs
from engine.session import jobs
from engine.session.frame_renderer import SHARE, FrameRenderer
from engine.session.frame_requests import FrameRequest
from engine.session.limits import Limits
from tests.session.fakes import FakeFrames, FakeRun, copy_of, eventually, settings_of
from tests.session.test_frames import PATIENCE, FakeArchive

CAMERA = orbit_camera(30.0, 15.0, 3.0, 40.0, 8)


def test_one_owner_queues_so_many_runs_and_another_still_can(
    open_session, run: FakeRun, tmp_path: Path
) -> None:
    run.hold()
    session = open_session(limits=Limits(jobs_per_owner=3, jobs=5))
    tokens = [session.submit(settings_of(), "ada") for _ in range(3)]
    folders = sorted(path.name for path in (tmp_path / "library").iterdir())
    with pytest.raises(InputError, match="3 of your runs"):
        session.submit(settings_of(), "ada")
    assert sorted(path.name for path in (tmp_path / "library").iterdir()) == folders, (
        "nothing is left of what was refused"
    )
    assert [session.submit(settings_of(), "bob") for _ in range(2)]
    with pytest.raises(InputError, match="5 runs wait"):
        session.submit(settings_of(), "eve")
    session.stop(tokens[2])
    assert session.submit(settings_of(), "ada")


def test_an_owner_whose_runs_fill_the_disk_is_asked_to_delete_some(open_session, run: FakeRun) -> None:
    session = open_session(limits=Limits(bytes_per_owner=50_000))
    token = session.submit(settings_of(), "ada")
    assert session.wait(token, PATIENCE).state == "done" and session.submit(settings_of(), "ada")
    (session.library.folder(token) / "scene.ply").write_bytes(bytes(60_000))
    with pytest.raises(InputError, match="on disk") as refusal:
        session.submit(settings_of(), "ada")
    assert str(session.library.root) in refusal.value.remedy
    assert session.submit(settings_of(), "bob")
    (session.library.folder(token) / "scene.ply").unlink()
    assert session.submit(settings_of(), "ada")


def torch_settings(**values: object) -> Settings:
    return with_values(settings_of(), {"backend": "torch", **values})


def test_a_scene_that_would_fill_the_memory_is_refused_with_what_it_takes() -> None:
    big = torch_settings(splats=200_000, render_size=512)
    assert step_bytes(big) > 10e9
    with pytest.raises(InputError, match=r"about \d+ GB .* 8.0 GB") as refusal:
        check_room(big, 10_000_000_000, 0.8)
    assert "auto" in refusal.value.remedy
    check_room(with_values(big, {"backend": "auto"}), 10_000_000_000, 0.8)
    check_room(torch_settings(), 2_000_000_000, 0.8)


def test_what_a_step_takes_grows_with_everything_that_is_drawn() -> None:
    usual = torch_settings(scene="field")
    for name, value in (("render_size", 128), ("voxels", 96), ("views_per_step", 8)):
        assert step_bytes(with_values(usual, {name: value})) > 1.9 * step_bytes(usual)
    assert step_bytes(replace(usual, knobs=Knobs())) and step_bytes(torch_settings(scene="canvas")) == 0


def test_fifty_watchers_of_one_view_cost_one_picture(open_session, run: FakeRun, frames: FakeFrames) -> None:
    run.hold()
    session = open_session()
    token = session.submit(settings_of(steps=1000), "ada")
    assert session.frame(token, "me", CAMERA, -1, 0.0) is None
    frames.gate.clear()
    found: list[object] = []
    threads = [
        threading.Thread(
            target=lambda name=f"watcher {i}": found.append(session.frame(token, name, CAMERA, -1, PATIENCE))
        )
        for i in range(50)
    ]
    for thread in threads:
        thread.start()
    eventually(
        lambda: (
            sum(subscription.waiting for subscription in session._frame_renderer._subscriptions.values())
            >= 50
        )
    )
    run.allow(1)
    eventually(lambda: frames.calls)
    frames.gate.set()
    for thread in threads:
        thread.join()
    assert len(frames.calls) == 1 and len({frame.serial for frame in found}) == 1
    assert all(frame.rgb is found[0].rgb for frame in found)


def drawn_within(seconds: float, going: bool) -> tuple[int, float]:
    """How many pictures from different sides a darkroom makes, each of which takes 4 ms, and the seconds that
    they took.
    """
    archive, taken = FakeArchive(), []
    archive.going = going
    room = FrameRenderer(archive)
    room.start()

    def make(copy: object) -> int:
        began = time.monotonic()
        time.sleep(0.004)
        taken.append(time.monotonic() - began)
        return 0

    room.offer("run", copy_of(1, 0, Knobs()))
    began, number = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        room.ask("run", f"watcher {number % 50}", FrameRequest(number, make), -1, 0.002)
        number += 1
    room.close()
    assert room.join(PATIENCE)
    return len(taken), sum(taken)


def test_all_watchers_together_take_a_small_share_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    number, taken = drawn_within(2.0, going=True)
    assert number > 10 and taken < 1.5 * SHARE * 2.0
    free, _ = drawn_within(0.5, going=False)
    assert free > 2 * number * 0.5 / 2.0, "with nothing going nobody is held back"


def test_a_strip_is_made_once_a_second_however_many_ask(
    open_session, run: FakeRun, frames: FakeFrames, monkeypatch
) -> None:
    made: list[int] = []
    monkeypatch.setattr(
        frames,
        "azimuth_strip",
        lambda copy, size: made.append(copy.total_step) or FakeFrames().azimuth_strip(copy, size),
    )
    session = open_session()
    token = session.submit(settings_of(steps=2000), "ada")
    eventually(lambda: session.strip(token) is not None)
    began, before = time.monotonic(), len(made)
    while (seconds := time.monotonic() - began) < 1.5:
        session.strip(token)
        time.sleep(0.005)
    assert len(made) and len(made) - before <= 2 + seconds, "one a second, and those at both ends"


def test_asking_for_places_computes_the_order_once(
    open_session, run: FakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.hold()
    session = open_session()
    tokens = [session.submit(settings_of(), owner) for owner in ("ada", "bob", "ada", "eve", "bob")]
    eventually(lambda: run.inside[1] == 1)
    computed: list[int] = []
    order = jobs.turn_order
    monkeypatch.setattr(jobs, "turn_order", lambda *told: computed.append(1) or order(*told))
    for _ in range(100):
        assert [session.view(token).queue_position for token in tokens] == [0, 1, 3, 2, 4]
    assert len(computed) <= 1
    session.stop(tokens[1])
    assert [session.view(token).queue_position for token in tokens] == [0, 0, 3, 1, 2] and len(computed) <= 2
