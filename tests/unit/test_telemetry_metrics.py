"""Metrics: every process counts, one answers for all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.telemetry.metrics import Figures, observe_moves, render

FIGURES = Figures(
    backlog={("P100", "post", "enriched"): 4}, oldest_age={("P100", "enriched"): 12.5}, dead={"P100": 2, "P200": 0}
)
COUNT = "from app.telemetry.metrics import observe_moves; observe_moves('P9', 'mes.scrap', 'posted', 3)"
ANSWER = (
    "import sys; from app.telemetry.metrics import Figures, render; "
    "sys.stdout.write(render(Figures(dead={'P9': 1}))[0].decode())"
)


def value(text: str, name: str, **labels: str) -> float:
    """The one sample with this name and these labels."""
    (found,) = (
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )
    return found


def test_gauges_are_what_the_database_said_at_the_question() -> None:
    body, content_type = render(FIGURES)

    text = body.decode()
    assert value(text, "lineside_backlog_messages", plant="P100", step="post", state="enriched") == 4
    assert value(text, "lineside_oldest_age_seconds", plant="P100", state="enriched") == 12.5
    assert value(text, "lineside_dead_messages", plant="P100") == 2
    assert value(text, "lineside_dead_messages", plant="P200") == 0
    assert content_type.startswith("text/plain")


def test_a_process_alone_answers_for_itself() -> None:
    observe_moves("P7", "mes.issue", "posted", 2)

    text = render(Figures())[0].decode()
    assert value(text, "lineside_moves_total", plant="P7", type="mes.issue", state="posted") == 2


def test_the_one_that_is_asked_answers_for_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNT], check=True, timeout=60)

    answer = subprocess.run([sys.executable, "-c", ANSWER], check=True, timeout=60, capture_output=True, text=True)

    assert value(answer.stdout, "lineside_moves_total", plant="P9", type="mes.scrap", state="posted") == 6
    assert value(answer.stdout, "lineside_dead_messages", plant="P9") == 1
