"""What a run is asked to do. ``RunSpec`` needs a new run; ``Knobs`` may change while it is live: the type is
the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from engine.assets.images.image_arguments import crops_in, pictures_in
from engine.core.fields import Choice, Range, check_fields
from engine.errors import InputError
from engine.guidance.base import Guidance
from engine.guidance.sds import Sds
from engine.guidance.timesteps import Timesteps
from engine.loop import (
    attachment_settings,
    distillation_settings,
    energy_settings,
    mesh_settings,
    reference_settings,
    region_settings,
    stage_settings,
)
from engine.loop import image_settings as photo
from engine.prior.control.entries import OFF
from engine.prior.memory_plan import PRECISIONS

MAX_PROMPT_CHARACTERS = 1000
MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class RunSpec:
    """Everything that is fixed when Generate is pressed.

    ``images`` and ``image_crops`` are written as `engine.assets.images.image_arguments` reads them. Where
    there are pictures, the prompt may be empty. ``reference`` is the path of a 3D model that guides the shape
    (`engine.loop.reference`). Where ``region`` names boxes, only what lies in them changes
    (`engine.loop.region`).
    """

    prompt: str
    negative_prompt: str = ""
    images: str = ""
    image_crops: str = ""
    reference: str = ""
    seed: Annotated[int, Range(0, MAX_SEED, 1, help="The same seed and settings give the same result.")] = 0
    prior: str = "toybox"
    words: stage_settings.Words = stage_settings.UNDERSTAND
    scene: stage_settings.Scene = "splats"
    start: stage_settings.Start = "draft"
    start_file: stage_settings.StartFile = ""
    region: region_settings.Region = ""
    region_was: region_settings.Was = ""
    region_start: region_settings.Start = region_settings.DRAFT
    image_cut_out: photo.CutOut = "auto"
    image_azimuth: photo.Facing = photo.SET
    image_elevation: photo.Standing = photo.SET
    image_elevation_deg: photo.Elevation = 10.0
    image_fill: photo.Fill = 0.8
    image_relief: photo.Relief = photo.OFF
    image_normals: photo.Normals = photo.OFF
    draft_views: stage_settings.DraftViews = 8
    draft_guidance_scale: stage_settings.DraftGuidance = 2.5
    draft_guidance_t_min: stage_settings.DraftGuidanceTMin = 0.0
    sampling_steps: stage_settings.SamplingSteps = 8
    fit_steps: stage_settings.FitSteps = 120
    refine_steps: stage_settings.RefineSteps = 150
    sharpen_steps: stage_settings.SharpenSteps = 0
    time_budget_seconds: stage_settings.TimeBudget = 0.0
    splats: Annotated[
        int,
        Range(
            100,
            200000,
            100,
            label="Splat budget",
            advanced=True,
            help="How many Gaussians the scene is made of.",
        ),
    ] = 4000
    voxels: Annotated[
        int, Range(16, 160, 8, label="Voxels a side", advanced=True, help="Resolution of the radiance field.")
    ] = 48
    render_size: Annotated[
        int,
        Range(
            16,
            1024,
            8,
            unit="px",
            label="Render size",
            advanced=True,
            help="Side of the pictures that are optimised.",
        ),
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
        str,
        Choice(
            ("auto", "torch", "cpu", "cuda"),
            label="Renderer",
            advanced=True,
            help="Which renderer draws the scene.",
        ),
    ] = "auto"
    precision: Annotated[
        str,
        Choice(
            PRECISIONS,
            label="Precision",
            advanced=True,
            help="Of a Hub prior's numbers. Auto: half on a GPU, full on a CPU. Full never overflows and "
            "takes twice the memory.",
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
    anchor_weight: distillation_settings.AnchorWeight = 0.5
    surface_weight: distillation_settings.SurfaceWeight = 0.02
    distortion_weight: distillation_settings.DistortionWeight = 0.0
    fidelity: photo.Fidelity = 0.5
    image_depth: photo.Depth = 0.1
    image_normals_weight: photo.NormalsWeight = 0.1
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
    energy_likeness: energy_settings.Likeness = 0.0
    energy_colour: energy_settings.Colour = ""
    energy_colour_weight: energy_settings.ColourWeight = 0.0
    learning_rate: distillation_settings.LearningRate = 1.0
    views_per_step: distillation_settings.ViewsPerStep = 4
    background: distillation_settings.Background = "random"
    rough_steps: distillation_settings.RoughSteps = 0
    one_pass: distillation_settings.OnePass = True
    perp_neg: distillation_settings.PerpNeg = False
    control_strength: attachment_settings.ControlStrength = 0.8
    style_strength: attachment_settings.StyleStrength = 1.0
    image_guidance_scale: distillation_settings.ImageGuidance = 1.5
    gradient_clip: distillation_settings.GradientClip = "off"
    clip_limit: distillation_settings.ClipLimit = 0.1

    def __post_init__(self) -> None:
        check_fields(self)
        reference_settings.read_curve(self.reference_curve, self.reference_early, self.reference_late)
        reference_settings.read_gate(self.reference_gate)
        energy_settings.read_colour(self.energy_colour)


def _check_prompt(name: str, text: str, *, required: bool) -> None:
    if not isinstance(text, str) or (required and not text.strip()):
        raise InputError(
            f"{name} is empty.",
            "Describe one object in a few words, for example: a red mug with a blue handle.",
        )
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise InputError(
            f"{name} has {len(text):,} characters; at most {MAX_PROMPT_CHARACTERS:,} are allowed.",
            "Shorten it: a few words say more.",
        )
