"""What the reference card asks: matches, facts, pictures; and what a browser may not ask for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import trimesh
from gradio.utils import get_upload_folder
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.assets.meshes.canonical_pose import Orientation
from engine.assets.meshes.render_maps import pictures_of
from engine.errors import InputError
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.retrieval.embed_views import shape_of
from engine.session import Session
from studio.reference_queries import FEW_SIDES, MOST_SHOWN, SIDE_SIZE, SIDES, UNSTATED, Query, ReferenceDesk
from studio.reference_routes import reference_routes

CHAIR = "shelf:toybox/701000"
UPRIGHT = Orientation()


@pytest.fixture
def desk(session: Session) -> ReferenceDesk:
    return ReferenceDesk(session)


@pytest.fixture
def client(session: Session) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=reference_routes(session))) as client:
        yield client


@pytest.fixture
def tube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An uploaded model: one side red, the other blue, longer than wide."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    path = Path(get_upload_folder()) / "abc" / "tube.glb"
    path.parent.mkdir(parents=True)
    box = trimesh.creation.box((0.5, 2.0, 0.5))
    box.unmerge_vertices()
    box.visual.face_colors = [
        [255, 0, 0, 255] if normal[2] > 0.5 else [0, 0, 255, 255] for normal in box.face_normals
    ]
    box.export(path)
    return path


def frames(row: bytes) -> np.ndarray:
    picture = np.asarray(Image.open(BytesIO(row)).convert("RGBA"))
    assert picture.shape[0] == SIDE_SIZE
    return picture.reshape(SIDE_SIZE, -1, SIDE_SIZE, 4).transpose(1, 0, 2, 3)


def redness(frame: np.ndarray) -> float:
    seen = frame[frame[..., 3] > 128].astype(float)
    return float((seen[:, 0] > seen[:, 2]).mean())


def test_words_bring_matches_best_first_with_all_that_a_card_shows(desk: ReferenceDesk) -> None:
    told = desk.matches(Query(words="a red chair"), 5)
    assert told["asked"] and told["unreadable"] == 0 and len(told["matches"]) == 5
    first = told["matches"][0]
    assert first["reference"].startswith("shelf:toybox/") and first["caption"] == "a red chair"
    assert first["licence"] == "Apache-2.0" and first["source"]
    near = [match["similarity"] for match in told["matches"]]
    assert near == sorted(near, reverse=True) and 0 < near[-1] <= near[0] <= 1
    json.dumps(told, allow_nan=False)


def test_pictures_are_compared_from_where_the_run_has_their_camera(
    desk: ReferenceDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    shape = shape_of(desk.session.references.item(CHAIR.removeprefix("shelf:")))
    seen = (pictures_of(shape, np.array([60.0]), 30.0, 128)[0] * 255).round().astype(np.uint8)
    path = Path(get_upload_folder()) / "seen" / "chair.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(np.concatenate([np.full_like(seen[..., :3], 90), seen[..., 3:]], -1)).save(path)

    def best(azimuth: str, **framing: str) -> tuple[str, float]:
        match = desk.matches(
            Query(images=f"{path}@{azimuth}", framing={"image_crops": "whole", **framing}), 1
        )["matches"][0]
        return match["reference"], match["similarity"]

    assert best("60", image_elevation_deg="30") == (CHAIR, pytest.approx(1, abs=0.02))
    assert best("150", image_elevation_deg="30")[1] < 0.97 and best("60", image_elevation_deg="0")[1] < 0.97
    assert best("150", image_azimuth="auto") == best("60", image_azimuth="auto")
    with pytest.raises(InputError):
        best("60", image_elevation_deg="up")


def test_with_nothing_to_go_by_there_is_a_varied_handful(desk: ReferenceDesk) -> None:
    told = desk.matches(Query(), 6)
    assert not told["asked"] and len({match["caption"] for match in told["matches"]}) > 3
    assert all(match["similarity"] is None for match in told["matches"])
    assert len(desk.matches(Query(), 10**9)["matches"]) == MOST_SHOWN


def test_words_of_the_cards_own_come_before_the_runs(desk: ReferenceDesk) -> None:
    told = desk.matches(Query(words="a red chair", search="a boat"), 3)
    assert all("boat" in match["caption"] for match in told["matches"])


def test_a_thing_of_the_shelf_is_told_and_seen_from_all_round(desk: ReferenceDesk) -> None:
    facts = desk.facts(CHAIR, UPRIGHT)
    assert (
        facts["licence"] == "Apache-2.0"
        and facts["up"] == "z"
        and facts["confidence"] == 1
        and facts["notes"] == []
    )
    assert len(frames(desk.sides(CHAIR, UPRIGHT))) == SIDES
    small = Image.open(BytesIO(desk.picture(CHAIR)))
    assert small.mode == "RGBA" and small.getextrema()[3] == (0, 255)


def test_an_upload_is_told_by_its_own_words(desk: ReferenceDesk, tube: Path) -> None:
    facts = desk.facts(str(tube), UPRIGHT)
    assert (facts["caption"], facts["licence"], facts["source"], facts["up"]) == (
        "tube",
        UNSTATED,
        "tube.glb",
        "y",
    )


def test_the_preview_stands_as_it_is_told(desk: ReferenceDesk, tube: Path) -> None:
    standing, lying = (frames(desk.sides(str(tube), Orientation(up)))[0][..., 3] > 128 for up in ("y", "z"))
    assert np.ptp(np.nonzero(standing)[0]) > 1.5 * np.ptp(np.nonzero(lying)[0]), (
        "what stands is higher than what lies"
    )


def test_the_front_is_first_and_a_turn_moves_it_on(desk: ReferenceDesk, tube: Path) -> None:
    reds = [redness(frame) for frame in frames(desk.sides(str(tube), UPRIGHT))]
    turned = [redness(frame) for frame in frames(desk.sides(str(tube), Orientation("auto", 90.0)))]
    assert int(np.argmax(reds)) == 0 and int(np.argmax(turned)) == SIDES // 4, (
        "counter-clockwise, as the cameras go"
    )


def test_fine_models_are_seen_from_fewer_sides(
    desk: ReferenceDesk, tube: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.reference_queries.FINE_FACES", 4)
    assert len(frames(desk.sides(str(tube), UPRIGHT))) == FEW_SIDES


def test_a_changed_file_is_looked_at_again(desk: ReferenceDesk, tube: Path) -> None:
    before = desk.picture(str(tube))
    trimesh.creation.icosphere().export(tube)
    assert desk.picture(str(tube)) != before


@pytest.mark.parametrize("reference", ["/etc/passwd", "../secret.glb", "{upload}/../../secret.glb"])
def test_files_that_were_not_uploaded_are_refused_whether_they_are_there_or_not(
    reference: str, desk: ReferenceDesk, tube: Path
) -> None:
    for ask in (lambda of: desk.facts(of, UPRIGHT), desk.picture, lambda of: desk.sides(of, UPRIGHT)):
        with pytest.raises(InputError, match="not uploaded"):
            ask(reference.format(upload=tube.parent))
    with pytest.raises(InputError, match="not uploaded"):
        desk.matches(Query(images="/etc/hostname"), 3)


def test_what_a_draw_takes_cannot_be_seen_before(desk: ReferenceDesk) -> None:
    with pytest.raises(InputError, match="decided when the run begins"):
        desk.facts("auto", UPRIGHT)


def test_a_run_tells_what_it_took(desk: ReferenceDesk, session: Session) -> None:
    def begun(reference: str) -> str:
        return session.submit(
            Settings(RunSpec("a red chair", reference=reference, refine_steps=3), Knobs()), "ada"
        )

    token = begun("auto")
    assert "a red chair" in desk.taken(token)["caption"] and desk.taken(token)["similarity"] > 0.5
    kept = session.settings(token).spec.reference
    assert desk.facts(kept, UPRIGHT)["caption"] == desk.taken(token)["caption"], "shown again when the run is"
    assert desk.taken(begun("")) is None


def test_over_http(client: TestClient, tube: Path) -> None:
    told = client.post("/reference/matches", content=json.dumps({"words": "a red chair", "count": 2}))
    assert told.status_code == 200 and told.json()["matches"][0]["caption"] == "a red chair"
    of = quote(str(tube))
    assert client.get(f"/reference/facts?of={of}").json()["caption"] == "tube"
    for path in (f"sides?of={of}&up=z&turn=-45", f"picture?of={quote(CHAIR)}"):
        answer = client.get(f"/reference/{path}")
        assert answer.headers["content-type"] == "image/webp" and answer.content[8:12] == b"WEBP"


NONSENSE = (
    "",
    "of=%2Fetc%2Fpasswd",
    "of=auto",
    f"of={CHAIR}&turn=x",
    f"of={CHAIR}&up=w",
    "of=run:../..",
    "of=shelf:nothing",
)


@pytest.mark.parametrize("asked", NONSENSE)
def test_nonsense_over_http_is_answered_with_a_remedy(asked: str, client: TestClient) -> None:
    answer = client.get(f"/reference/sides?{asked}")
    assert answer.status_code == 422 and answer.json()["title"]


@pytest.mark.parametrize(
    ("asked", "what"),
    [("turn=x", "The turn is 'x'"), ("up=w&turn=5", "The up axis 'w'"), ("turn=inf", "inf")],
)
def test_it_is_said_what_is_wrong_with_an_orientation(asked: str, what: str, client: TestClient) -> None:
    assert what in client.get(f"/reference/sides?of={CHAIR}&{asked}").json()["title"]


@pytest.mark.parametrize("body", ["", "[]", "{", '{"count": "many", "words": 3}', '{"count": -5}'])
def test_nonsense_in_a_query_brings_a_handful(body: str, client: TestClient) -> None:
    assert client.post("/reference/matches", content=body).status_code == 200
