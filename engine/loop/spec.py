"""What a run is asked to do. ``RunSpec`` needs a new run; ``Knobs`` may change while it is live: the type is the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from engine.assets.images.image_arguments import crops_in, pictures_in
from engine.core.fields import Choice, File, Range, Switch, check_fields
from engine.core.gradient import CLIPPINGS
from engine.errors import InputError
from engine.guidance.base import Guidance
from engine.guidance.sds import Sds
from engine.guidance.timesteps import Timesteps
from engine.loop import attachment_settings, energy_settings, mesh_settings, reference_settings, region_settings
from engine.loop import image_settings as photo
from engine.prior.control.entries import OFF
from engine.prior.memory_plan import PRECISIONS

MAX_PROMPT_CHARACTERS = 1000
MAX_SEED = 2**31 - 1
UNDERSTAND, AS_THEY_ARE = "understand", "as they are"


@dataclass(frozen=True)
class RunSpec:
    """Everything that is fixed when Generate is pressed.

    ``images`` and ``image_crops`` are written as `engine.assets.images.image_arguments` reads them. Where there are
    pictures, the prompt may be empty. ``reference`` is the path of a 3D model that guides the shape (`engine.loop.reference`).
    Where ``region`` names boxes, only what lies in them changes (`engine.loop.region`).
    """

    prompt: str
    negative_prompt: str = ""
    images: str = ""
    image_crops: str = ""
    reference: str = ""
    seed: Annotated[int, Range(0, MAX_SEED, 1, help="The same seed and settings give the same result.")] = 0
    prior: str = "toybox"
    words: Annotated[
        str,
        Choice(
            (UNDERSTAND, AS_THEY_ARE),
            label="Words",
            advanced=True,
            needs="taught_words",
            help="Read words that the prior was not taught as the nearest that it knows, and say so; or leave all as they are.",
        ),
    ] = UNDERSTAND
    scene: Annotated[
        str, Choice(("splats", "field", "canvas"), label="Scene", help="3D Gaussians, a voxel radiance field, or flat pictures.")
    ] = "splats"
    start: Annotated[
        str,
        Choice(
            ("draft", "ball", "file"),
            label="Start",
            help="A draft sampled from the prior, pure distillation from a ball, or a finished result that is refined.",
        ),
    ] = "draft"
    start_file: Annotated[
        str,
        File(
            (".ply", ".splat", ".spz", ".sog", ".ksplat"),
            label="Start file",
            advanced=True,
            help="Splats to start from: a scene.ply of ours, or any 3DGS file.",
        ),
    ] = ""
    region: region_settings.Region = ""
    region_was: region_settings.Was = ""
    region_start: region_settings.Start = region_settings.DRAFT
    image_cut_out: photo.CutOut = "auto"
    image_azimuth: photo.Facing = photo.SET
    image_elevation: photo.Standing = photo.SET
    image_elevation_deg: photo.Elevation = 10.0
    image_fill: photo.Fill = 0.8
    image_relief: photo.Relief = photo.OFF
    draft_views: Annotated[
        int,
        Range(
            1, 16, 1, label="Draft views", advanced=True, help="Views that the prior samples together, or pictures of a canvas."
        ),
    ] = 8
    draft_guidance_scale: Annotated[
        float, Range(1, 20, 0.1, label="Draft guidance", advanced=True, help="Guidance while the draft views are sampled.")
    ] = 2.5
    sampling_steps: Annotated[
        int,
        Range(
            1,
            50,
            1,
            label="Sampling steps",
            advanced=True,
            help="Denoising steps of the draft views. 1: the mean of what could be there.",
        ),
    ] = 8
    fit_steps: Annotated[
        int, Range(10, 1000, 10, label="Fit steps", advanced=True, help="Steps that fit the scene to the draft views.")
    ] = 120
    refine_steps: Annotated[
        int, Range(0, 20000, 10, label="Refine steps", help="Steps of score distillation after the draft.")
    ] = 150
    sharpen_steps: Annotated[
        int,
        Range(
            0,
            500,
            10,
            label="Sharpen steps",
            needs="sharpens",
            help="Steps of the last stage: views of the shape are drawn twice as fine, and the scene is fitted to them. 0: none.",
        ),
    ] = 0
    time_budget_seconds: Annotated[
        float, Range(0, 86400, 5, unit="s", label="Time budget", help="Refining ends when this is used up. 0: no limit.")
    ] = 0.0
    splats: Annotated[
        int, Range(100, 200000, 100, label="Splat budget", advanced=True, help="How many Gaussians the scene is made of.")
    ] = 4000
    voxels: Annotated[int, Range(16, 160, 8, label="Voxels a side", advanced=True, help="Resolution of the radiance field.")] = 48
    render_size: Annotated[
        int, Range(16, 1024, 8, unit="px", label="Render size", advanced=True, help="Side of the pictures that are optimised.")
    ] = 64
    reference_up: reference_settings.Up = reference_settings.AUTO
    reference_turn_deg: reference_settings.Turn = 0.0
    reference_by: reference_settings.By = reference_settings.AUTO
    reference_map: reference_settings.Map = "progress"
    mesh_faces: mesh_settings.Faces = 20_000
    mesh_origin: mesh_settings.Origin = "centre"
    mesh_size_m: mesh_settings.SizeMetres = 0.0
    control: attachment_settings.Control = OFF
    style_file: attachment_settings.StyleFile = ""
    backend: Annotated[
        str, Choice(("auto", "torch", "cpu", "cuda"), label="Renderer", advanced=True, help="Which renderer draws the scene.")
    ] = "auto"
    precision: Annotated[
        str,
        Choice(
            PRECISIONS,
            label="Precision",
            advanced=True,
            help="Of a Hub prior's numbers. Auto: half on a GPU, full on a CPU. Full never overflows and takes twice the memory.",
        ),
    ] = "auto"

    def __post_init__(self) -> None:
        check_fields(self)
        region_settings.boxes_in(self.region)
        crops_in(self.image_crops, len(pictures_in(self.images)))
        _check_prompt("The prompt", self.prompt, required=not self.images.strip())
        _check_prompt("The negative prompt", self.negative_prompt, required=False)


@dataclass(frozen=True)
class Knobs:
    """Everything that an artist may change while the shape evolves."""

    guidance: Guidance = field(default_factory=Sds)
    timesteps: Timesteps = field(default_factory=Timesteps)
    anchor_weight: Annotated[
        float, Range(0, 5, 0.05, label="Draft anchor", help="How strongly the draft views hold the shape. 0 lets it go.")
    ] = 0.5
    surface_weight: Annotated[
        float,
        Range(
            0,
            0.2,
            0.005,
            label="Even surface",
            advanced=True,
            help="How strongly splats are laid along the surface that they show, so that it holds under light. 0: not at all.",
        ),
    ] = 0.02
    distortion_weight: Annotated[
        float,
        Range(
            0,
            3,
            0.05,
            label="Thin surface",
            advanced=True,
            help="How strongly the splats that one looks at are drawn together in depth. From 3 on it hurts. 0: not at all.",
        ),
    ] = 0.0
    fidelity: photo.Fidelity = 0.5
    image_depth: photo.Depth = 0.1
    reference_follow: reference_settings.Follow = 0.75
    reference_early: reference_settings.Early = 1.0
    reference_late: reference_settings.Late = 1.0
    reference_curve: reference_settings.Curve = ""
    reference_gate: reference_settings.Gate = reference_settings.AUTO
    ignore_reference: reference_settings.Ignore = False
    overlap_suppression: region_settings.Suppression = 2.0
    outside_weight: region_settings.Outside = 1.0
    region_fill: region_settings.Fill = 0.2
    energy_symmetry: energy_settings.Symmetry = 0.0
    energy_outline: energy_settings.Outline = 0.0
    energy_depth: energy_settings.Depth = 0.0
    energy_colour: energy_settings.Colour = ""
    energy_colour_weight: energy_settings.ColourWeight = 0.0
    learning_rate: Annotated[
        float, Range(0.05, 4, 0.05, label="Learning rate", help="Multiplies every rate of the optimiser.")
    ] = 1.0
    views_per_step: Annotated[
        int, Range(1, 16, 1, label="Views a step", advanced=True, help="Pictures rendered and judged in each step.")
    ] = 4
    background: Annotated[
        str,
        Choice(
            ("white", "grey", "black", "random"),
            label="Background",
            advanced=True,
            help="Behind the object, for priors that see no alpha.",
        ),
    ] = "random"
    rough_steps: Annotated[
        int,
        Range(
            0,
            5000,
            10,
            label="Rough start",
            advanced=True,
            needs="has_vae",
            help="So many steps go past the prior's VAE, with colours as latents: coarse, and each step far cheaper. 0: none.",
        ),
    ] = 0
    one_pass: Annotated[
        bool,
        Switch(
            label="One pass",
            advanced=True,
            needs="guidance_distilled",
            help="Guidance by the prior's student, which takes one pass instead of two. Off: exact guidance.",
        ),
    ] = True
    perp_neg: Annotated[
        bool,
        Switch(
            label="Perp-Neg",
            advanced=True,
            needs="wants_view_words",
            help="Keeps a face from growing on the back: pushes each view off the words of the others. Two passes more.",
        ),
    ] = False
    control_strength: attachment_settings.ControlStrength = 0.8
    style_strength: attachment_settings.StyleStrength = 1.0
    image_guidance_scale: Annotated[
        float,
        Range(
            1,
            10,
            0.1,
            label="Image guidance",
            advanced=True,
            needs="takes_source",
            help="How much a prior that edits keeps of the pictures as they were. 1 switches it off.",
        ),
    ] = 1.5
    gradient_clip: Annotated[
        str,
        Choice(
            CLIPPINGS,
            label="Gradient clipping",
            advanced=True,
            help="Bounds the push on each pixel: every channel alone (value), or the pixel by its length or its largest channel.",
        ),
    ] = "off"
    clip_limit: Annotated[
        float, Range(0.01, 1, 0.01, label="Clip limit", advanced=True, help="The largest push on one pixel where it is clipped.")
    ] = 0.1

    def __post_init__(self) -> None:
        check_fields(self)
        reference_settings.read_curve(self.reference_curve, self.reference_early, self.reference_late)
        reference_settings.read_gate(self.reference_gate)
        energy_settings.read_colour(self.energy_colour)


def _check_prompt(name: str, text: str, *, required: bool) -> None:
    if not isinstance(text, str) or (required and not text.strip()):
        raise InputError(f"{name} is empty.", "Describe one object in a few words, for example: a red mug with a blue handle.")
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise InputError(
            f"{name} has {len(text):,} characters; at most {MAX_PROMPT_CHARACTERS:,} are allowed.",
            "Shorten it: a few words say more.",
        )
