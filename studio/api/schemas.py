"""What the API's documents hold, as the schemas of its OpenAPI document."""

from __future__ import annotations

from typing import Any

from engine.session.record import STATES

Json = dict[str, Any]


def schemas() -> Json:
    """The schemas by name."""
    text, whole, number = {"type": "string"}, {"type": "integer"}, {"type": ["number", "null"]}
    settings = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
    messages = {"type": "array", "items": _object({"what": text, "remedy": text})}
    summary = {
        "token": text,
        "title": text,
        "state": {"enum": list(STATES)},
        "queue_position": whole,
        "stage": text,
        "total_step": whole,
        "total_steps": whole,
    }
    run = {
        **summary,
        "step": whole,
        "steps": whole,
        "steps_per_second": number,
        "eta_seconds": number,
        "seconds": number,
        "revision": whole,
        "revision_applied": whole,
        "metrics": {"type": "object", "additionalProperties": number},
        "warnings": messages,
        "error": {"oneOf": [{"type": "null"}, _object({"what": text, "remedy": text})]},
        "prompt": text,
        "files": _listed("File"),
        "settings": settings,
        "live_settings": settings,
    }
    submission = {
        "prompt": text,
        "preset": text,
        "settings": settings,
        "images": {"type": "array", "items": {"type": "string", "examples": ["file:ID@0"]}},
        "reference": {"type": "string", "examples": ["file:ID", "shelf:mug-3", "auto", "run:TOKEN"]},
        "seed": whole,
    }
    setting = {
        "group": text,
        "name": text,
        "allowed": text,
        "default": {"type": ["string", "number", "boolean"]},
        "help": text,
    }
    prior = {"id": text, "title": text, "missing": text, "home_scale": {"type": "number"}}
    return {
        "About": _object({"name": text, "version": text, "openapi": text}),
        "Problem": _object({"type": text, "status": whole, "title": text, "remedy": text}),
        "File": _object(
            {
                "name": text,
                "title": text,
                "kind": text,
                "bytes": whole,
                "url": {**text, "description": "Below /api/v1."},
            }
        ),
        "Files": _object({"files": _listed("File")}),
        "KeptFile": _object({"file": text}),
        "Run": _object(run),
        "RunSummary": _object(summary),
        "Runs": _object({"runs": _listed("RunSummary"), "total": whole}),
        "Submission": _object(submission, (), closed=True),
        "Steering": _object({"settings": settings}, closed=True),
        "Preset": _object({"id": text, "title": text, "sentence": text, "settings": settings}),
        "Presets": _object({"presets": _listed("Preset")}),
        "Prior": _object(prior),
        "Priors": _object({"priors": _listed("Prior")}),
        "Setting": _object(setting),
        "SettingList": _object({"settings": _listed("Setting")}),
    }


def schema_of(name: str) -> Json:
    """A reference to the schema with this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Json, required: tuple[str, ...] | None = None, *, closed: bool = False) -> Json:
    names = list(properties if required is None else required)
    return {
        "type": "object",
        "properties": properties,
        "required": names,
        **({"additionalProperties": False} if closed else {}),
    }


def _listed(schema: str) -> Json:
    return {"type": "array", "items": schema_of(schema)}
