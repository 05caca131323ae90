"""What commands print: for people on a terminal, plain in a pipe, one JSON object with ``--json``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import click
from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])

PIPE_WIDTH = 160


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")(function)


def terminal(to_stderr: bool = False) -> Console:
    """Colours only on a terminal; in a pipe lines are wide and never broken into a terminal's width."""
    stream = sys.stderr if to_stderr else sys.stdout
    return Console(file=stream, highlight=False, soft_wrap=True, width=None if stream.isatty() else PIPE_WIDTH)


def plain_line(console: Console, text: str) -> None:
    """As it is: brackets in a reason are no markup, and a sender's control characters never reach a terminal."""
    console.print("".join(c if c.isprintable() or c == "\n" else "?" for c in text), markup=False)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def laid_out_json(value: Any) -> str:
    """JSON on indented lines, for a person who reads a document."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
