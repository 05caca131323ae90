"""`make test` begins with what takes longest, so that no process is left alone with it in the end."""

from __future__ import annotations

from tests.conftest import LONGEST, TESTS


def test_what_begins_first_is_there() -> None:
    assert [name for name in LONGEST if not (TESTS / name).is_file()] == []


def test_the_order_of_the_modules_is_kept_among_the_processes() -> None:
    (run,) = [line for line in (TESTS.parent / "Makefile").read_text().splitlines() if "--dist" in line]

    assert "--dist loadscope --no-loadscope-reorder" in run
