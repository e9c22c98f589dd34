"""What the README tells people to type works, and what it points to is there."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from studio.cli import main

ROOT = Path(__file__).parent.parent
READMES = (
    ROOT / "README.md",
    *sorted(path for folder in ("engine", "studio") for path in (ROOT / folder).rglob("*.md")),
)
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
ALL = "\n".join(path.read_text(encoding="utf-8") for path in READMES)
LINES = [line for block in re.findall(r"```bash\n(.*?)```", ALL, re.S) for line in block.strip().splitlines()]
COMMANDS = [part.strip() for line in LINES for part in line.split("&&")]
SMALL = [
    "--set",
    "sampling_steps=2",
    "--set",
    "fit_steps=10",
    "--set",
    "refine_steps=2",
    "--set",
    "splats=300",
    "--quiet",
]
QUICK = {
    "generate": SMALL,
    "playground": ["--methods", "sds", "--steps", "2", "--quiet"],
    "evaluate": [*SMALL, "--limit", "1"],
    "edit": ["--steps", "2", "--views", "4", "--texture-size", "64", "--quiet"],
    "--sync": ["--sampling-steps", "2", "--quiet"],
    "--region": SMALL,
    "--splats": ["--steps", "2", "--views", "4", "--quiet"],
    "--undo": ["--quiet"],
}
WRITES = {
    "generate": "result.json",
    "playground": "sheet.png",
    "evaluate": "report.md",
    "edit": "mesh_textured.glb",
    "--sync": "picture.png",
    "--region": "result.json",
    "--splats": "scene.ply",
    "--undo": "scene.ply",
}

FILES = {
    "mug.png": "studio/assets/sample-cat.png",
    "front.jpg": "studio/assets/sample-car.png",
    "left.jpg": "studio/assets/sample-house.png",
    "mine.glb": "presets/examples/part-of-a-chair.glb",
}


def test_two_commands_are_all_a_fresh_machine_needs() -> None:
    assert LINES[:2] == [
        "pip install -e . && python -m studio",
        'pip install -e ".[test]" && python -m pytest -q',
    ]
    assert 'pip install -q -e ".[test]"' in (ROOT / ".ci" / "run").read_text()


def test_extras_that_are_named_exist() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in re.findall(r"\.\[(\w+)\]", TEXT):
        assert re.search(rf"^{extra} = \[", project, re.M), extra


def test_what_writes_works_as_written_one_command_after_the_other(tmp_path: Path, monkeypatch) -> None:
    """But for the number of steps, which is small here."""
    monkeypatch.chdir(tmp_path)
    for name, example in FILES.items():
        put(ROOT / example, tmp_path / name)
    commands = [
        shlex.split(few(command))[3:]
        for command in dict.fromkeys(COMMANDS)
        if re.match(r"python -m studio .* --out ", command)
    ]
    assert [arguments[0] for arguments in commands].count("generate") >= 3
    assert {kind_of(arguments) for arguments in commands} == set(QUICK)
    read = {arguments[arguments.index("--from") + 1] for arguments in commands if "--from" in arguments}
    for number, arguments in enumerate(commands):
        kind, out = kind_of(arguments), arguments[arguments.index("--out") + 1]
        mesh = number == 0 or out in read  # later ones read these
        formats = [] if kind != "generate" else ["--formats", "glb" if mesh else "png"]
        assert main([*arguments, *QUICK[kind], *formats]) == 0, arguments
        written = "seed-0/result.json" if "--variations" in arguments else WRITES[kind]
        assert (tmp_path / arguments[arguments.index("--out") + 1] / written).exists()


def kind_of(arguments: list[str]) -> str:
    chosen = [option for option in ("--sync", "--region", "--splats", "--undo") if option in arguments]
    return chosen[0] if chosen else arguments[0]


def few(command: str) -> str:
    return re.sub(r"(?<=--variations )\d+", "2", re.sub(r" --set refine_steps=\d+", "", command))


def put(example: Path, target: Path) -> None:
    """A file of the reader's own."""
    if target.suffix == ".jpg":
        picture = Image.open(example).convert("RGBA")
        Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB").save(target)
    else:
        shutil.copyfile(example, target)


@pytest.mark.parametrize(
    "command",
    [
        c
        for c in COMMANDS
        if c.startswith("python -m studio") and " --out " not in c and c != "python -m studio"
    ],
)
def test_lists_work_as_written(command: str) -> None:
    assert main(shlex.split(command)[3:]) == 0


@pytest.mark.parametrize("command", sorted({c for c in COMMANDS if c.startswith("python -m engine")}))
def test_builders_commands_have_the_options_that_are_named(command: str, capsys, monkeypatch) -> None:
    name, *arguments = shlex.split(command)[2:]
    path = ROOT / name.replace(".", "/")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(
            str(path / "__main__.py" if path.is_dir() else path.with_suffix(".py")), run_name="__main__"
        )
    help_text = capsys.readouterr().out
    assert end.value.code == 0 and help_text
    for option in (argument for argument in arguments if argument.startswith("--")):
        assert option in help_text, f"{name} has no {option}"


@pytest.mark.parametrize(
    "path", (*READMES, *sorted((ROOT / ".github").glob("*.md"))), ids=lambda path: str(path.relative_to(ROOT))
)
def test_everything_that_is_pointed_to_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        assert target.startswith("http") or (path.parent / target).exists(), target
    for named in re.findall(r"`((?:engine|studio|presets|tests)/[\w/.]*)`", text):
        assert (ROOT / named).exists(), named


def test_the_readme_stays_a_page() -> None:
    assert len(TEXT.splitlines()) <= 130


def test_the_table_of_settings_is_what_the_program_says(capsys) -> None:
    assert main(["settings", "--markdown"]) == 0
    assert capsys.readouterr().out == (ROOT / "engine" / "loop" / "SETTINGS.md").read_text(encoding="utf-8")
