"""What becomes of page tests where there is no browser."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from browsing import REQUIRED, launch


def test_without_a_browser_page_tests_are_skipped_unless_they_must_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = SimpleNamespace(chromium=SimpleNamespace(executable_path=str(tmp_path / "chromium")))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.delenv(REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="python -m playwright install"):
        launch(nowhere)  # type: ignore[arg-type]
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="python -m playwright install"):
        launch(nowhere)  # type: ignore[arg-type]


def test_ci_lets_no_page_test_skip() -> None:
    assert f"{REQUIRED}=1" in (Path(__file__).parents[2] / ".ci" / "run").read_text()
