"""The benchmark's parts against closed forms, and the whole command once with next to no steps."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh

from engine.assets.images.decoding import read_photo
from engine.loop.frames import PAPER
from engine.loop.messages import Watch
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.loop.viewpoints import draft_cameras
from engine.prior.registry import load_prior
from engine.toybox.benchmark import __main__ as benchmark
from engine.toybox.benchmark import metrics, text
from engine.toybox.benchmark.assets import LookOnce, fit_views, generate, see, true_views
from engine.toybox.benchmark.ellipsoid import painted_ellipsoid
from engine.toybox.benchmark.image import NOVEL_VIEWS, from_picture, novel_angles, save_straight
from engine.toybox.benchmark.perceptual import perceptual_distance
from engine.toybox.benchmark.readme import image_markdown
from engine.toybox.benchmark.report import Numbers
from engine.toybox.benchmark.shapes import (
    INSTANCES,
    ShapeScore,
    make_bank,
    score_shape,
    views_of,
    views_of_blob,
)
from engine.toybox.benchmark.sheet import compose
from engine.toybox.benchmark.surfaces import outside_points
from engine.toybox.benchmark.tasks import (
    AZIMUTHS_DEG,
    BANK_SEED,
    ELEVATIONS_DEG,
    IMAGE_SEED,
    SEEDS_A_KIND,
    TEXT_SEED,
    image_tasks,
    text_tasks,
)
from engine.toybox.benchmark.verdicts import Verdict, angle_between, judge, summarise
from engine.toybox.captions import plain_caption
from engine.toybox.classifier import AZIMUTH_BINS, load_classifier
from engine.toybox.dataset import HELD_OUT_SEED
from engine.toybox.objects import FIRST_KINDS, KINDS, KINDS_WITH_FRONT
from engine.toybox.pictures import render_object

SHORT = {"sampling_steps": 2, "fit_steps": 10, "refine_steps": 0, "splats": 500}


def short_settings(**changes) -> Settings:
    return Settings(replace(RunSpec(prompt="a red mug"), **{**SHORT, **changes}), Knobs())


def grid(spacing: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """5 x 5 x 5 points, moved along x."""
    return np.stack(np.meshgrid(*[np.arange(5) * spacing] * 3), axis=-1).reshape(-1, 3) + [shift, 0, 0]


def test_psnr_of_a_constant_offset():
    picture = np.random.default_rng(0).uniform(0.2, 0.8, (16, 16, 3))
    assert metrics.psnr(picture, picture + 0.1) == pytest.approx(20.0)
    assert metrics.psnr(picture, picture) == np.inf


def test_ssim_of_constant_pictures():
    a, b = (np.full((20, 20, 3), value) for value in (0.4, 0.6))
    assert metrics.ssim(a, b) == pytest.approx((2 * 0.4 * 0.6 + 1e-4) / (0.4**2 + 0.6**2 + 1e-4), abs=1e-9)
    assert metrics.ssim(a, b) == pytest.approx(0.92309, abs=1e-5)
    noise = np.random.default_rng(0).uniform(size=(20, 20, 3))
    assert metrics.ssim(noise, noise) == pytest.approx(1.0)


def test_mask_iou_counts_opaque_pixels():
    a, b = np.zeros((3, 8, 8)), np.zeros((3, 8, 8))
    a[0, :4], b[0, 2:6] = 1.0, 1.0  # 16 pixels shared of 48
    a[1, 0], b[1] = 0.4, 0.0  # neither is more than half opaque
    a[2, :2] = 0.9  # the other is empty
    assert metrics.mask_iou(a, b) == pytest.approx([1 / 3, 1.0, 0.0])


def test_chamfer_and_f_score_of_shifted_grids():
    a, b = grid(), grid(shift=0.1)
    assert metrics.chamfer(a, b) == pytest.approx(0.2)
    assert metrics.chamfer(a, b, squared=True) == pytest.approx(0.02)
    assert metrics.f_score(a, b, 0.11) == 1.0 and metrics.f_score(a, b, 0.09) == 0.0
    assert metrics.f_score(a, np.zeros((0, 3)), 1.0) == 0.0


def test_f_score_is_the_harmonic_mean_and_symmetric():
    half = grid()[
        grid()[:, 2] < 2
    ]  # 50 of 125 points: precision 1, recall 3/5 within a little over one spacing
    assert metrics.f_score(half, grid(), 1.01) == pytest.approx(2 * 0.6 / 1.6)
    assert metrics.f_score(half, grid(), 1.01) == metrics.f_score(grid(), half, 1.01)


def test_nothing_that_is_asked_was_ever_trained_on():
    texts, images = text_tasks(48), image_tasks(48)
    bank = range(BANK_SEED, BANK_SEED + INSTANCES)
    seeds = [task.seed for task in (*texts, *images)]
    assert min(seeds) >= HELD_OUT_SEED and not set(seeds) & set(bank)
    assert max(task.seed for task in texts) < TEXT_SEED + SEEDS_A_KIND * len(FIRST_KINDS) <= IMAGE_SEED
    assert len({(task.kind, task.seed) for task in texts}) == len(texts)


def test_prompts_say_what_is_true_of_their_objects():
    for task in text_tasks(24):
        assert task.kind == KINDS[task.index] and task.prompt == plain_caption(task.object)
        assert len(task.colours) == 2 and "body" in task.colours
        assert all(
            word in task.prompt and task.object.part_colours[part] == word
            for part, word in task.colours.items()
        )


def test_one_clean_view_is_near_the_front_and_near_elevation_15():
    tasks = image_tasks(20)
    assert all(15 <= task.azimuth_deg <= 45 and 10 <= task.elevation_deg <= 20 for task in tasks)
    assert len({task.azimuth_deg for task in tasks}) == 20


@pytest.mark.parametrize("index", [KINDS.index(kind) for kind in ("chair", "snowman", "airplane")])
def test_a_blob_cannot_pass_for_a_shape(index):
    task = text_tasks(24)[index]
    bank = make_bank(task.kind, task.colours, 40)
    true, blob = (score_shape(views(task.object), bank) for views in (views_of, views_of_blob))
    assert true.iou.mean() > blob.iou.mean() + 0.12
    assert true.psnr.mean() > blob.psnr.mean() + 3
    assert not true.border.any() and not true.empty.any()


def test_the_best_instance_counts_view_by_view():
    bank = make_bank("mug", {}, 3)
    mixed = np.stack([bank.rgba[v % 3, v] for v in range(8)])
    score = score_shape(mixed, bank)
    assert (score.iou == 1).all() and np.isinf(score.psnr).all()


def test_border_and_emptiness_are_flagged():
    bank = make_bank("mug", {}, 1)
    views = np.zeros((8, 64, 64, 4), np.float32)
    views[0, :20] = 1.0
    views[1, 20:40, 20:40] = 1.0
    score = score_shape(views, bank)
    assert score.border.tolist() == [True] + [False] * 7
    assert score.empty.tolist() == [False, False] + [True] * 6


def verdict(kind: str, right: list[int], seen_deg: list[float]) -> Verdict:
    shape = ShapeScore(np.ones(8), np.ones(8), np.zeros(8, bool), np.zeros(8, bool))
    return Verdict(kind, np.array(right, bool), np.array(seen_deg), np.array([True, False]), shape)


def test_summary_of_a_janus_and_an_honest_chair():
    honest = verdict("chair", [1] * 8, list(AZIMUTHS_DEG))
    janus = verdict("chair", [1] * 4 + [0] + [1] * 3, [0, 45, 90, 45, 0, 315, 270, 315])
    summary = summarise([honest, janus])
    assert summary["kind_accuracy"] == 15 / 16 and summary["worst_azimuth_accuracy"] == 0.5
    assert summary["azimuth_accuracy"] == 13 / 16  # the three views from behind are seen as from the front
    assert summary["janus_rate"] == 0.5 and summary["colour_accuracy"] == 0.5
    assert summary["body_colour_accuracy"] == 1.0
    assert summarise([honest])["janus_rate"] == 0.0


def test_kinds_without_a_front_do_not_count_for_the_azimuth():
    tree = next(kind for kind in KINDS if kind not in KINDS_WITH_FRONT)
    lost = verdict(tree, [1] * 8, [180.0] * 8)
    assert summarise([lost, verdict("chair", [1] * 8, list(AZIMUTHS_DEG))])["azimuth_accuracy"] == 1.0
    assert summarise([lost])["azimuth_accuracy"] == 0.0


def test_angles_wrap_round():
    assert angle_between(np.array([350.0, 10.0, 180.0]), np.array([10.0, 350.0, 0.0])).tolist() == [
        20.0,
        20.0,
        180.0,
    ]


def test_a_true_object_is_judged_right_and_another_kind_wrong():
    chair, car = (text_tasks(24)[KINDS.index(kind)] for kind in ("chair", "car"))
    bank, classifier = make_bank("chair", chair.colours, 20), load_classifier()
    right, wrong = (judge(views_of(task.object), chair, classifier, bank) for task in (chair, car))
    assert right.kind_right.mean() >= 7 / 8 and right.colours_right.all()
    assert (
        angle_between(right.seen_azimuth_deg, np.array(AZIMUTHS_DEG)) <= 360 / AZIMUTH_BINS
    ).mean() >= 6 / 8
    assert wrong.kind_right.mean() <= 1 / 8 and wrong.shape.iou.mean() < right.shape.iou.mean()


def test_points_lie_on_the_outside_only():
    outer, inner = trimesh.creation.icosphere(3, radius=0.9), trimesh.creation.icosphere(3, radius=0.5)
    both = trimesh.util.concatenate([outer, inner])
    points = outside_points(both.vertices, both.faces, 2000)
    assert len(points) == 2000 and np.linalg.norm(points, axis=1) == pytest.approx(0.9, abs=0.01)
    assert np.abs(points.mean(0)).max() < 0.05


def test_the_mailbox_looks_once_before_the_step_is_reported():
    commands = LookOnce(3)
    taken = [commands.take() for _ in range(6)]
    assert taken == [[Watch(on)] for on in (False, False, True, False, False, False)]


@pytest.fixture(scope="module")
def toybox():
    torch.set_num_threads(1)
    return load_prior("toybox", "cpu")


def test_a_run_is_kept_before_and_after_refining_and_repeats(toybox):
    settings = short_settings(refine_steps=2)
    first, second = (generate("a red mug", 5, settings, toybox) for _ in range(2))
    draft, refined, again = (
        see(copy, AZIMUTHS_DEG, ELEVATIONS_DEG) for copy in (first.draft, first.refined, second.refined)
    )
    assert first.draft.total_step == 12 and first.refined.total_step == 14
    assert np.abs(draft - refined).max() > 1e-3
    assert np.array_equal(refined, again)
    assert {"draft", "fit", "refine", "total"} <= set(first.seconds)


def test_fitting_true_views_gives_their_silhouettes(toybox):
    cameras = draft_cameras(toybox.info, 8, 64)
    truth = true_views(text_tasks(1)[0].object, cameras)
    copy = fit_views(truth, cameras, short_settings(fit_steps=60, splats=2000), toybox)
    fitted = see(copy, cameras.azimuths_deg().tolist(), cameras.elevations_deg().tolist())
    assert metrics.mask_iou(fitted[..., 3], truth[..., 3].numpy()).mean() > 0.85


def test_a_picture_decides_what_is_made(toybox):
    task = image_tasks(1)[0]
    settings = short_settings(sampling_steps=4, fit_steps=20)
    redness = []
    for colour in ("red", "blue"):
        obj = replace(text_tasks(1)[0], colours={"body": colour}).object
        given = render_object(obj, [task.azimuth_deg], [task.elevation_deg]).rgba[0]
        seen = see(
            from_picture(given, task, settings, toybox).refined,
            [task.azimuth_deg + 100, task.azimuth_deg + 200],
            [15, 15],
        )
        redness.append(float((seen[..., 0] - seen[..., 2]).mean()))
    assert redness[0] > redness[1] + 0.02


def test_a_picture_file_is_what_was_rendered(tmp_path):
    rgba = render_object(text_tasks(1)[0].object, [30], [15]).rgba[0]
    save_straight(rgba, tmp_path / "given.png")
    read = read_photo(tmp_path / "given.png").rgba / 255
    assert np.abs(read[..., :3] * read[..., 3:] - rgba[..., :3]).max() < 0.01


def test_novel_cameras_are_all_round_and_none_is_the_given_one():
    task = image_tasks(3)[2]
    azimuths, elevations = novel_angles(task)
    turns = (np.array(azimuths) - task.azimuth_deg) % 360
    assert len(azimuths) == len(elevations) == NOVEL_VIEWS == len(np.unique(turns))
    assert min(turns.min(), 360 - turns.max()) >= 9 and set(elevations) == {0.0, 15.0, 30.0}


def test_the_ellipsoid_fills_the_outline_in_its_colours():
    rgba = np.zeros((64, 64, 4), np.float32)
    y, x = np.mgrid[0:64, 0:64] + 0.5
    rgba[((x - 36) / 12) ** 2 + ((y - 30) / 18) ** 2 <= 1] = (0.8, 0.2, 0.1, 1)
    rgba[:30, :, :3] *= 0.5
    ellipsoid = painted_ellipsoid(rgba, 40, 15)
    seen = ellipsoid.pictures([40], [15])
    assert metrics.mask_iou(seen[..., 3], rgba[None, ..., 3])[0] > 0.93
    assert metrics.psnr(seen[0], rgba) > 20
    behind = ellipsoid.pictures([220], [-15])[0]
    assert behind[16:24, 32, 0].mean() < 0.6 * behind[40:44, 32, 0].mean(), "the back is painted as the front"
    assert seen[..., 3].mean() == pytest.approx(behind[..., 3].mean(), rel=0.15)


def test_gradient_distance_sees_edges_and_not_levels():
    step = np.zeros((32, 32, 3))
    step[:, 16:] = 0.5
    flat = np.zeros_like(step)
    assert metrics.gradient_distance(step, step) == metrics.gradient_distance(flat, flat) == 0
    assert metrics.gradient_distance(step, flat) == 1
    assert metrics.gradient_distance(step + 0.3, step) == pytest.approx(0, abs=1e-12)
    assert metrics.gradient_distance(0.5 * step, step) == pytest.approx(1 / 3), (
        "half as high: |1/2 - 1| of 1/2 + 1"
    )
    noise = np.random.default_rng(0).normal(0, 0.05, step.shape)
    assert (
        0
        < metrics.gradient_distance(step + 0.1 * noise, step)
        < metrics.gradient_distance(step + noise, step)
        < 1
    )


def test_perceptual_distance_is_nothing_for_equal_pictures_and_grows_with_a_turn_and_a_change_of_kind():
    classifier = load_classifier()
    tasks = {kind: text_tasks(24)[KINDS.index(kind)] for kind in ("chair", "car")}
    front, beside, behind = (
        render_object(tasks["chair"].object, [azimuth], [15]).rgba for azimuth in (20, 30, 150)
    )
    other = render_object(tasks["car"].object, [20], [15]).rgba
    near, far, strange = (
        float(perceptual_distance(classifier, view, front)[0]) for view in (beside, behind, other)
    )
    assert perceptual_distance(classifier, front, front).tolist() == [0.0]
    assert 0 < near < far and near < strange <= 2
    assert perceptual_distance(classifier, front, behind)[0] == pytest.approx(far, rel=1e-5)


def test_the_table_of_pictures_has_a_column_for_each_way_and_leaves_out_what_has_no_surface():
    metrics_of = {
        "psnr": 20.0,
        "ssim": 0.8,
        "gradient_distance": 0.5,
        "perceptual_distance": 0.3,
        "mask_iou": 0.9,
    }
    whole = {**metrics_of, "chamfer": 0.1, "f_score": 0.7}
    image = {
        "generated": whole,
        "referred": whole,
        "copy": metrics_of,
        "ellipsoid": whole,
        "text": whole,
        "fit": whole,
    }
    asked = {
        "pictures": 3,
        "processes": 2,
        "settings": {"refine_steps": 100},
        "image_settings": {"refine_steps": 50},
    }
    told = image_markdown(Numbers({}, image, {"image": 12.34}, asked))
    rows = [line.split(" | ") for line in told.splitlines() if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1 and len(rows[0]) == 7
    chamfer = next(row for row in rows if "Chamfer" in row[0])
    assert (
        chamfer[1:4] == ["0.100", "0.100", "–"]
        and "3 objects" in told
        and "50 refine steps" in told
        and "2 runs at once: 12.3." in told
    )


def test_the_sheet_shows_every_strip_under_its_prompt():
    strips = [np.full((8, 16, 16, 3), 10 * i, np.uint8) for i in range(3)]
    sheet = np.asarray(compose(["a", "b", "c"], strips, columns=2))
    for i in range(3):
        assert (sheet == 10 * i).all(-1).sum() >= 8 * 16 * 16
    assert sheet[0, 0] == pytest.approx(255 * np.array(PAPER), abs=0.51)


@pytest.mark.heavy
def test_pictures_alone_are_measured_and_put_into_a_file(tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text("<!-- image -->\n<!-- /image -->\n", encoding="utf-8")
    short = [part for name, value in SHORT.items() for part in ("--set", f"{name}={value}")]
    asked = ["--only", "image", "--objects", "1", "--processes", "1", "--readme", str(readme), *short]
    assert benchmark.main(asked) == 0
    assert "Text to 3D" not in capsys.readouterr().out
    told = readme.read_text(encoding="utf-8")
    assert "| perceptual distance |" in told and told.startswith("<!-- image -->\n| image to 3D, 1 objects")
    assert benchmark.main(["--only", "text", "--readme", str(readme)]) == 2
    assert readme.read_text(encoding="utf-8") == told


def test_the_command_writes_table_numbers_and_sheet(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(text, "make_bank", lambda kind, colours: make_bank(kind, colours, 20))
    numbers, sheet = tmp_path / "numbers.json", tmp_path / "sheet.png"
    short = [part for name, value in SHORT.items() for part in ("--set", f"{name}={value}")]
    assert (
        benchmark.main(
            ["--objects", "1", "--processes", "1", "--json", str(numbers), "--sheet", str(sheet), *short]
        )
        == 0
    )
    stored = json.loads(numbers.read_text())
    wanted = {
        "kind_accuracy",
        "colour_accuracy",
        "azimuth_accuracy",
        "worst_azimuth_accuracy",
        "janus_rate",
        "shape_iou",
    }
    assert wanted <= set(stored["text"]) and set(stored["seconds"]) == {"draft", "refined", "image"}
    assert {
        "psnr",
        "ssim",
        "gradient_distance",
        "perceptual_distance",
        "mask_iou",
        "referred_psnr",
        "copy_psnr",
        "ellipsoid_psnr",
        "text_psnr",
        "chamfer",
        "f_score",
    } <= set(stored["image"])
    assert stored["ceiling"]["text"]["shape_iou"] > stored["blob"]["shape_iou"]
    assert stored["n"]["prompts"] == 1 and stored["n"]["settings"]["fit_steps"] == SHORT["fit_steps"]
    assert sheet.stat().st_size > 1000 and "shape IoU" in capsys.readouterr().out


@pytest.mark.parametrize(
    "wrong", [["--preset", "nowhere"], ["--set", "fit_steps"], ["--set", "colour=red"], ["--objects", "-1"]]
)
def test_wrong_options_are_refused_with_a_remedy(wrong, capsys):
    assert benchmark.main([*wrong, "--processes", "1"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
