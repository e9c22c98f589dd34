"""The Python client: the same calls to a studio over HTTP and to one in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from studio_doubles import catalogue, open_double
from studio_serving import PATIENCE_SECONDS, free_port, until

from engine.errors import InputError, RunError, StateError, StudioError, UnknownError
from engine.session import Session
from studio.api.calls import LocalCalls
from studio.api.examples import (
    another_machine_5,
    many_4,
    pictures_and_references_3,
    steering_2,
    words_to_files_1,
)
from studio.api.kept_files import KeptFiles
from studio.api.operations import Operations
from studio.api.routes import api_routes
from studio.client import Client

QUICK = {"refine_steps": 3}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with open_double(tmp_path_factory.mktemp("library")) as opened:
        yield opened


@pytest.fixture(scope="module")
def operations(session: Session) -> Operations:
    return Operations(session, catalogue(), KeptFiles(session.library.root / "uploads" / "api"))


@pytest.fixture(scope="module")
def url(operations: Operations) -> Iterator[str]:
    app = Starlette(routes=api_routes(operations))
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield f"http://127.0.0.1:{server.config.port}"
    server.should_exit = server.force_exit = True
    thread.join(10)


@pytest.fixture(params=["http", "process"])
def client(request: pytest.FixtureRequest, url: str, operations: Operations) -> Iterator[Client]:
    secret = f"secret of {request.param}"
    calls = None if request.param == "http" else LocalCalls(operations, secret, lambda: None)
    with Client(url, secret=secret, calls=calls) as opened:
        yield opened


def picture(path: Path) -> Path:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[16:48, 20:44] = (200, 60, 40, 255)
    Image.fromarray(rgba).save(path)
    return path


def test_from_words_to_files(client: Client, tmp_path: Path) -> None:
    run = client.generate("a red mug", seed=3, settings=QUICK)
    told = [now["state"] for now in run.follow(0.01)]
    assert told[-1] == "done" and run.state == "done" and run.now["settings"]["seed"] == 3
    paths = run.download(tmp_path / "mug")
    assert set(paths) == set(run.files()) and all(path.stat().st_size for path in paths.values())
    assert run.token in [each.token for each in client.runs()] and client.runs("failed") == []
    assert client.run(run.token).now["title"] == "a red mug"


def test_a_run_is_steered_and_stopped(client: Client) -> None:
    run = client.generate("a red mug", settings={"refine_steps": 5000})
    assert run.steer(guidance_scale=11)["live_settings"]["guidance_scale"] == 11
    assert run.undo()["live_settings"]["guidance_scale"] != 11
    assert run.pause()["state"] == "paused" and run.resume()["state"] in ("queued", "running")
    with pytest.raises(InputError, match="guidance_scale"):
        run.steer(guidance_scale="much")
    with pytest.raises(TimeoutError):
        run.wait(0.3)
    picture = run.frame(azimuth_deg=90, size=64)
    assert picture is None or picture.size == (64, 64)
    run.stop()
    assert run.wait(PATIENCE_SECONDS)["state"] == "stopped"
    with pytest.raises(StateError):
        run.resume()
    run.delete()
    with pytest.raises(UnknownError):
        client.run(run.token)


def test_a_picture_with_its_side_goes_along(client: Client, tmp_path: Path) -> None:
    path = picture(tmp_path / "front@home.png")
    run = client.generate(images=[f"{path}@30*0.5", path], settings=QUICK)
    images = run.now["settings"]["images"]
    assert "@30*0.5" in images and images.count(".png") == 2
    run.wait(PATIENCE_SECONDS)


def test_the_same_key_is_the_same_run(client: Client) -> None:
    first, again = (client.generate("a red mug", settings=QUICK, key="row 7") for _ in range(2))
    assert first.token == again.token
    with pytest.raises(StateError):
        client.generate("a blue mug", settings=QUICK, key="row 7")


def test_refusals_are_the_studios_own(client: Client) -> None:
    with pytest.raises(InputError, match="refine_stepz"):
        client.generate("a mug", settings={"refine_stepz": 3})
    with pytest.raises(InputError):
        client.generate("a mug", preset="none")
    failed = client.generate("a bad mug", settings={"refine_steps": 50})
    with pytest.raises(RunError, match="finite"):
        failed.wait(PATIENCE_SECONDS)


def test_what_there_is_to_choose(client: Client) -> None:
    assert "toybox-splats" in [each["id"] for each in client.presets()]
    assert "toybox" in [each["id"] for each in client.priors()]
    assert "guidance_scale" in [each["name"] for each in client.settings()]


def test_a_studio_that_is_not_there_is_told() -> None:
    with (
        pytest.raises(StudioError, match="cannot be reached"),
        Client(f"http://127.0.0.1:{free_port()}") as nowhere,
    ):
        nowhere.presets()


def test_example_1_words_to_files(client: Client, tmp_path: Path) -> None:
    paths = words_to_files_1.main(client, tmp_path, **QUICK)
    assert paths and all(path.parent == tmp_path and path.is_file() for path in paths)


def test_example_2_steering(client: Client) -> None:
    now = steering_2.main(client, change_at=5, refine_steps=4000)
    assert now["state"] == "stopped" and now["revision"] == 2
    assert now["live_settings"]["guidance_scale"] == now["settings"]["guidance_scale"]


def test_example_3_pictures_and_references(client: Client, tmp_path: Path) -> None:
    paths = pictures_and_references_3.main(client, picture(tmp_path / "mug.png"), tmp_path / "out", **QUICK)
    assert paths and client.runs()[0].now["settings"]["reference"]


def test_example_4_many(client: Client, tmp_path: Path) -> None:
    before = len(client.runs())
    for _ in range(2):
        assert set(many_4.main(client, many_4.PROMPTS, tmp_path, **QUICK).values()) == {"done"}
    assert len(client.runs()) == before + len(many_4.PROMPTS), "the second start found the runs of the first"


def test_example_5_another_machine(client: Client, tmp_path: Path) -> None:
    path = another_machine_5.main(client, tmp_path / "house.png", refine_steps=200)
    assert path is not None and Image.open(path).size == (256, 256)
