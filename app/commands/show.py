"""How a long command tells what it does: lines, and a bar for what takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class ConsoleShow:
    """Lines and bars on a terminal; in a pipe each bar is one line."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def line(self, text: str) -> None:
        self._console.print(text)

    @contextmanager
    def progress(self, title: str, *, estimate: bool = False) -> Iterator[Callable[[float], None]]:
        """``estimate``: also how long it will still take."""
        if not self._console.is_terminal:
            self._console.print(f"{title} ...")
            yield lambda share: None
            return
        columns: list[ProgressColumn] = [TextColumn("{task.description:<44}"), BarColumn(), TimeElapsedColumn()]
        columns += [TimeRemainingColumn()] if estimate else []
        with Progress(*columns, console=self._console) as bars:
            bar = bars.add_task(title, total=1.0)
            yield lambda share: bars.update(bar, completed=min(1.0, share))
            bars.update(bar, completed=1.0)
