"""The commands that make many objects, or take the studio to other machines."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_batch(commands: argparse._SubParsersAction) -> None:
    """The command and its options."""
    command = commands.add_parser(
        "batch",
        help="make an object for each row of a CSV or JSON-lines table, here or on a Ray cluster",
        description="Make an object for each row of a table. Columns: prompt, image, reference, preset, "
        "seed, id, any setting. "
        "What is made is kept: the same command goes on where it was ended.",
    )
    command.add_argument(
        "table", type=Path, metavar="TABLE", help="a .csv, or a .jsonl with one object a line"
    )
    command.add_argument(
        "--out", type=Path, required=True, help="folder for the results: a folder a row, and the tables"
    )
    add_makers(command)
    command.add_argument(
        "--formats", default="ply,glb,png", help="which files to write (default %(default)s)"
    )
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    command.set_defaults(command=_batch)


def add_makers(command: argparse.ArgumentParser) -> None:
    """The options that say who makes many objects."""
    add = command.add_argument
    add("--workers", type=int, default=1, metavar="N", help="processes on this machine (default %(default)s)")
    add("--ray", metavar="ADDRESS", help="use the Ray cluster at this address instead (auto: this machine's)")
    add(
        "--cpus-per-run",
        type=float,
        default=1.0,
        metavar="N",
        help="of a node, for each (default %(default)s)",
    )
    add(
        "--gpus-per-run",
        type=float,
        default=0.0,
        metavar="N",
        help="of a node, for each (default %(default)s)",
    )
    add("--retries", type=int, default=2, metavar="N", help="if a worker or node dies (default %(default)s)")


def add_synchronisation(playground: argparse.ArgumentParser) -> None:
    """The options of the playground for pictures that are drawn through many windows or views at once."""
    group = playground.add_argument_group("diffusion synchronisation, in place of the grid of methods")
    group.add_argument(
        "--sync",
        metavar="KIND",
        help="wide, panorama (closes on itself), ambiguous (a prompt a view), or zoom (a prompt a picture)",
    )
    views = (
        "of ambiguous ones: upright, upside-down, quarter-turn, mirror, patches, negative; as many "
        "prompts, with | between them"
    )
    group.add_argument("--views", default="upright,upside-down", help=views)
    group.add_argument(
        "--width", type=int, default=192, help="pixels, of wide pictures and panoramas (default %(default)s)"
    )
    group.add_argument(
        "--stride", type=float, default=0.25, help="of windows, as a share of one (default %(default)s)"
    )
    group.add_argument(
        "--coherence", type=float, default=0.0, help="how alike windows are made (20 is usual; default off)"
    )
    group.add_argument(
        "--case", type=int, default=2, help="what is averaged, 0 to 5 (default %(default)s: SyncTweedies)"
    )
    group.add_argument("--sampling-steps", type=int, default=30, help="(default %(default)s)")


def add_edit(commands: argparse._SubParsersAction) -> None:
    """The command that changes a finished thing."""
    command = commands.add_parser(
        "edit",
        help="change a result or any mesh by words: a new texture, some colours, or what lies in a box",
        description="Change a result, or any mesh, by words. The source is never written over.",
    )
    command.add_argument(
        "--from",
        dest="source",
        type=Path,
        required=True,
        metavar="RESULT|FILE",
        help="a result's folder, or a mesh",
    )
    command.add_argument("--paint", metavar="WORDS", help='a new texture: "a red chair with blue legs"')
    command.add_argument(
        "--splats",
        action="store_true",
        help="with --paint or --restyle: change the splats' colours and no other number of them",
    )
    command.add_argument(
        "--restyle", metavar="WORDS", help="change only what these words change: the whole of the new words"
    )
    command.add_argument(
        "--region",
        action="append",
        default=[],
        metavar="BOX",
        help="change the shape in a box alone, for example x=0.3:1,z=-0.4:0.4 (x is the front, z is up; "
        "the object fills -1 to "
        "1); may be given several times; goes with --prompt",
    )
    command.add_argument("--prompt", metavar="WORDS", help="what the whole is with its region changed")
    command.add_argument("--undo", action="store_true", help="the scene as it was before its last change")
    command.add_argument(
        "--preset", help="settings of a region's change to start from (default toybox-region)"
    )
    command.add_argument(
        "--set", action="append", default=[], metavar="KNOB=VALUE", help="any setting of it; may be repeated"
    )
    command.add_argument(
        "--was", metavar="WORDS", help="what it is now (default: the words that its file was made by)"
    )
    command.add_argument(
        "--strategy",
        help="of painting: together (all views at once, the default), in turn (each keeps what the ones "
        "before it painted), or "
        "distilled (score distillation: slowest)",
    )
    command.add_argument(
        "--correspondence",
        action="store_const",
        const=True,
        help="views attend to each other along the surface, if the prior has an adapter for it",
    )
    command.add_argument(
        "--own-noise",
        dest="consistent_noise",
        action="store_const",
        const=False,
        help="each view begins with noise of its own, not with that of the texture",
    )
    command.add_argument(
        "--case", type=int, help="of synchronisation: 2 (SyncTweedies, the default) or 0, 1, 3, 4, 5"
    )
    command.add_argument("--views", type=int, help="pictures that are drawn together (default 8)")
    command.add_argument("--steps", type=int, help="of sampling (default 30)")
    command.add_argument(
        "--guidance", dest="guidance_scale", type=float, help="default 3; of a Hub prior its own"
    )
    command.add_argument("--seed", type=int, help="the same seed gives the same paint")
    command.add_argument("--texture-size", type=int, help="texels a side (default 512)")
    command.add_argument("--prior", default="toybox", help="which prior (default %(default)s)")
    command.add_argument("--control", help="a depth or normal ControlNet, for Stable Diffusion priors")
    command.add_argument(
        "--control-strength",
        dest="control_strengths",
        type=strength_ramp,
        metavar="FROM[:TO]",
        help="its scale at full noise, and at none (default 0.9:0.7)",
    )
    command.add_argument(
        "--image-guidance",
        dest="image_guidance_scale",
        type=float,
        help="how much of the pictures an InstructPix2Pix prior keeps (default 1.5); --restyle is an "
        "instruction then",
    )
    command.add_argument("--up", default="auto", help="which axis of the file is up (default %(default)s)")
    command.add_argument(
        "--turn-deg", type=float, default=0.0, help="turn it about that axis first (default %(default)s)"
    )
    command.add_argument(
        "--out", type=Path, required=True, help="folder for the results; earlier ones in it are kept aside"
    )
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    command.set_defaults(command=_edit)


def strength_ramp(text: str) -> tuple[float, float]:
    """``0.9:0.7``, or one number for both."""
    early, _, late = text.partition(":")
    return float(early), float(late or early)


def _edit(options: argparse.Namespace) -> int | None:
    from studio.commands.edit import edit

    edit(options)
    return None


def add_space(commands: argparse._SubParsersAction) -> None:
    """The command that writes a Hugging Face Space."""
    command = commands.add_parser(
        "space",
        help="write a folder that is a Hugging Face Space",
        description="Write a folder that is a Hugging Face Space.",
    )
    command.add_argument("out", type=Path, metavar="OUT", help="a new folder")
    command.add_argument(
        "--mode", default="cpu", help="cpu (toybox), gpu (its own), zero (ZeroGPU); default %(default)s"
    )
    command.set_defaults(command=_space)


def _space(options: argparse.Namespace) -> int | None:
    from studio.space.folder import studio_requirements, write_space

    out = write_space(options.out, options.mode, studio_requirements())
    print(f"{out} is ready: create a Space on the Hub, and push this folder to it (git lfs for the weights).")
    return None


def _batch(options: argparse.Namespace) -> int | None:
    from studio.commands.batch import batch

    return batch(options)
