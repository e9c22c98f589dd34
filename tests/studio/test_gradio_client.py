"""``gradio_client`` submits, steers and downloads at the running page."""

from __future__ import annotations

import urllib.request

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError


def test_it_submits_steers_and_downloads(double_page: str) -> None:
    client = Client(double_page, verbose=False)
    named = set(client.view_api(return_format="dict")["named_endpoints"])
    assert named == {"/generate", "/run", "/runs", "/steer", "/act", "/presets"}
    run = client.predict(
        "a red mug", settings={"refine_steps": 4000}, owner="eve's secret", api_name="/generate"
    )
    token = run["token"]
    assert (
        client.predict(token, {"guidance_scale": 9}, api_name="/steer")["live_settings"]["guidance_scale"]
        == 9
    )
    assert token in [each["token"] for each in client.predict("eve's secret", api_name="/runs")["runs"]]
    with pytest.raises(AppError, match="no setting named"):
        client.predict(token, {"guidance_scalee": 9}, api_name="/steer")
    client.predict(token, "stop", api_name="/act")
    while (run := client.predict(token, api_name="/run"))["state"] not in ("stopped", "done"):
        pass
    (first, *_) = run["files"]
    with urllib.request.urlopen(double_page.rstrip("/") + "/api/v1" + first["url"]) as answer:
        assert len(answer.read()) == first["bytes"]
