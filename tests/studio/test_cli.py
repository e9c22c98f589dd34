"""Every command, as a person at a terminal meets it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.loop import checkpoint
from engine.loop.recipe import Recipe
from engine.loop.results import RESULT_FILES
from engine.loop.settings import Settings, flatten
from engine.loop.spec import Knobs, RunSpec
from studio.cli import EXIT_BAD_INPUT, EXIT_FAILED, main

ROOT = Path(__file__).parents[2]
QUICK = [
    "--set",
    "sampling_steps=2",
    "--set",
    "fit_steps=10",
    "--set",
    "refine_steps=3",
    "--set",
    "splats=300",
    "--quiet",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("cli") / "mug"
    assert (
        main(
            ["generate", "--prompt", "a red mug with a blue handle", "--seed", "3", "--out", str(out), *QUICK]
        )
        == 0
    )
    return out


def test_generate_writes_every_file(made: Path) -> None:
    assert {path.name for path in made.iterdir()} >= set(RESULT_FILES) - {"mesh_textured.glb"}
    summary = json.loads((made / "result.json").read_text())
    assert (summary["prompt"], summary["seed"], summary["prior"]) == (
        "a red mug with a blue handle",
        3,
        "toybox",
    )
    assert summary["steps"] == 2 + 10 + 3
    assert 0 < summary["seconds"]["to_first_view"] <= summary["seconds"]["total"]


def test_a_file_starts_the_same_run_again(made: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert (
        main(
            [
                "generate",
                "--recipe",
                str(made / "mesh.glb"),
                "--formats",
                "png",
                "--quiet",
                "--out",
                str(again),
            ]
        )
        == 0
    )
    first, second = (Recipe.from_toml((folder / "recipe.toml").read_text()) for folder in (made, again))
    assert first.settings == second.settings
    assert (again / "views.png").read_bytes() == (made / "views.png").read_bytes(), (
        "same recipe, same pictures, on the CPU"
    )


def test_earlier_results_are_put_aside(made: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "scene.ply").write_text("precious")
    assert main(["generate", "--prompt", "a lamp", "--formats", "png", "--out", str(tmp_path), *QUICK]) == 0
    assert (tmp_path / "earlier-1" / "scene.ply").read_text() == "precious"


@pytest.mark.parametrize(
    "asked",
    [["--prompt", ""], ["--preset", "none"], ["--set", "splats=1"], ["--formats", "docx"],
        ["--set", "prior=none"],
     ["--reference", "shelf:none"], ["--image", "none.png"], ["--set", "start=file"], ["--resume"]],
)  # fmt: skip
def test_a_refused_run_leaves_earlier_results_where_they_are(asked: list[str], tmp_path: Path) -> None:
    (tmp_path / "scene.ply").write_text("precious")
    prompt = [] if "--prompt" in asked else ["--prompt", "a mug"]
    assert main(["generate", *prompt, *asked, "--out", str(tmp_path)]) in (EXIT_BAD_INPUT, EXIT_FAILED)
    assert [path.name for path in tmp_path.iterdir()] == ["scene.ply"]


def test_a_recipe_may_lie_in_the_folder_that_it_fills(made: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_bytes((made / "recipe.toml").read_bytes())
    for _ in range(2):
        assert (
            main(["generate", "--recipe", str(recipe), "--formats", "png", "--quiet", "--out", str(tmp_path)])
            == 0
        )
    assert (tmp_path / "earlier-2" / "recipe.toml").is_file() and recipe.is_file()


REFINE = 2  # after draft and fit


@pytest.mark.heavy
def test_resume_finishes_an_interrupted_run(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "studio",
        "generate",
        "--prompt",
        "a blue bird",
        "--out",
        str(out),
        "--quiet",
    ]
    slow = [
        "--set",
        "sampling_steps=2",
        "--set",
        "fit_steps=10",
        "--set",
        "splats=300",
        "--set",
        "refine_steps=20000",
    ]
    process = subprocess.Popen([*command, *slow], cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})
    _wait_for(out / "checkpoint.previous.pt")
    while checkpoint.load(out).content["stage_index"] < REFINE:
        assert process.poll() is None
        time.sleep(0.2)
    process.kill()
    process.wait()
    content = dict(checkpoint.load(out).content)
    content["recipe"] = content["recipe"].replace(
        "refine_steps = 20000", f"refine_steps = {content['step'] + 2}"
    )
    checkpoint.save(checkpoint.Snapshot(content), out)
    assert main(["generate", "--resume", "--formats", "png", "--quiet", "--out", str(out)]) == 0
    assert json.loads((out / "result.json").read_text())["steps"] == content["total_step"] + 2


def _wait_for(path: Path, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.2)


def test_words_that_toybox_was_never_taught_are_named(tmp_path: Path, capfd) -> None:
    assert (
        main(["generate", "--prompt", "a red dragon mug", "--formats", "png", "--out", str(tmp_path), *QUICK])
        == 0
    )
    told = capfd.readouterr()
    assert '"dragon"' in told.out + told.err and '"red"' not in told.out + told.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--prompt", ""], "empty"),
        (["--prompt", "x" * 10_000], "10,000 characters"),
        (["--prompt", "a mug", "--set", "guidance_scale=nan"], "from 1 to 100"),
        (["--prompt", "a mug", "--set", "guidance_scal=3"], "guidance_scale"),
        (["--prompt", "a mug", "--set", "nonsense"], "KNOB=VALUE"),
        (["--prompt", "a mug", "--preset", "nothing"], "nothing"),
        (["--prompt", "a mug", "--formats", "fbx"], "ply"),
        (["--prompt", "a mug", "--seed", "-4"], "seed"),
        ([], "--prompt"),
        (["--recipe", "/no/such/recipe.toml"], "not a file"),
    ],
)
def test_bad_input_is_told_without_a_traceback(
    arguments: list[str], said: str, tmp_path: Path, capsys
) -> None:
    assert main(["generate", *arguments, "--out", str(tmp_path / "out")]) == EXIT_BAD_INPUT
    told = capsys.readouterr().err
    assert said in told and "try:" in told and "Traceback" not in told


def test_a_prior_that_is_not_installed_says_how_to_get_it(tmp_path: Path, capsys) -> None:
    code = main(["generate", "--prompt", "a mug", "--preset", "sd15-splats", "--out", str(tmp_path)])
    told = capsys.readouterr().err
    assert code == EXIT_FAILED and "--fetch stable-diffusion-1.5" in told


def test_an_output_that_cannot_be_written_is_told_before_the_work(tmp_path: Path, capsys) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert main(["generate", "--prompt", "a mug", "--out", str(blocked)]) == EXIT_FAILED
    assert main(["generate", "--prompt", "a mug", "--out", str(blocked / "below")]) == EXIT_FAILED
    assert blocked.read_text() == "in the way" and "Traceback" not in capsys.readouterr().err


def test_a_corrupt_checkpoint_is_told(tmp_path: Path, capsys) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    assert main(["generate", "--prompt", "a mug", "--resume", "--out", str(tmp_path)]) == EXIT_BAD_INPUT
    assert "cannot be read" in capsys.readouterr().err


def test_lists(capsys) -> None:
    assert main(["presets"]) == 0 and main(["presets", "toybox-splats"]) == 0 and main(["priors"]) == 0
    told = capsys.readouterr().out
    assert "toybox-field" in told and "guidance_scale" in told and "stable-diffusion-1.5" in told


def test_fetching_asks_first(capsys) -> None:
    assert main(["priors", "--fetch", "toybox"]) == 0
    assert main(["priors", "--fetch", "stable-diffusion-1.5"]) == EXIT_FAILED
    told = capsys.readouterr()
    assert "MB" in told.out and "licence" in told.out and "--yes" in told.err


def test_doctor_finds_everything_it_needs(capsys) -> None:
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "toybox" in told and "CPU" in told and "The studio can run" in told


def test_a_port_in_use_is_told(capsys, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port), "--library", str(tmp_path)]) == EXIT_BAD_INPUT
    told = capsys.readouterr().err
    assert str(port) in told and "try:" in told


COMMANDS = ("", "serve", "generate", "playground", "evaluate", "doctor", "presets", "priors", "settings")


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command.split(), "--help"])
    assert end.value.code == 0 and "usage" in capsys.readouterr().out


def test_the_command_line_calls_itself_as_it_was_called(monkeypatch, capsys) -> None:
    for called, name in (("/usr/bin/maquette", "maquette"), ("/src/studio/__main__.py", "python -m studio")):
        monkeypatch.setattr("sys.argv", [called])
        with pytest.raises(SystemExit):
            main(["--help"])
        assert capsys.readouterr().out.startswith(f"usage: {name} ")


def test_every_setting_is_listed_with_what_is_allowed(capsys) -> None:
    assert main(["settings"]) == 0
    told = capsys.readouterr().out
    everything = flatten(Settings(RunSpec("a mug"), Knobs()))
    assert not [name for name in everything if f"\n{name} = " not in told]
    assert (
        "refine_steps = 150   a whole number from 0 to 20000" in told
        and "one of splats, field, canvas" in told
    )
    assert main(["settings", "SPLAT budget"]) == EXIT_BAD_INPUT and "Did" not in capsys.readouterr().out
    assert main(["settings", "refine_st"]) == 0 and capsys.readouterr().out.count(" = ") == 1


def test_output_that_nobody_reads_to_its_end_is_no_failure() -> None:
    command = f"{sys.executable} -m studio settings | head -1"
    told = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (0, "") and told.stdout.startswith("Of a run")


def test_an_unexpected_error_has_no_traceback_either(monkeypatch, capsys) -> None:
    monkeypatch.setattr("studio.commands.doctor.doctor", lambda: 1 / 0)
    assert main(["doctor"]) == EXIT_FAILED
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told and "MAQUETTE_DEBUG=1" in told and "Traceback" not in told
