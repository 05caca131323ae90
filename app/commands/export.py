"""`lineside export`: what happened, as files for analytics."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import click

from app.commands.database import open_database
from app.commands.exits import Unusable
from app.commands.opening import open_settings
from app.commands.printing import json_option, print_json
from app.commands.spans import Since
from app.projections.feed_parquet import ParquetMissing, load_pyarrow, write_parquet
from app.projections.feed_reading import FeedFilter, Told, first_position_since, newest_position
from app.web.feed import Span, line_of

NO_BOUND = 2**63


@click.group()
def export() -> None:
    """Write what happened to files."""


@export.command()
@click.option("--format", "form", type=click.Choice(["jsonl", "parquet"]), default="jsonl", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write.")
@click.option("--after", type=click.IntRange(min=0), help="Behind this position: the `next` of an earlier export.")
@click.option("--since", type=Since(), help="Told at or after this: 7d, 12h, a day or an instant.")
@click.option("--until", type=Since(), help="Told before this.")
@click.option("--type", "types", multiple=True, help="Only this canonical type; may be given several times.")
@click.option("--plant", "plants", multiple=True, help="Only this plant; may be given several times.")
@click.option("--item", "items", multiple=True, help="Only events that name this item; may be given several times.")
@json_option
def events(
    form: str,
    out: Path,
    after: int | None,
    since: datetime | None,
    until: datetime | None,
    types: tuple[str, ...],
    plants: tuple[str, ...],
    items: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the events that took effect, in the order in which they were told; the file appears once it is whole.
    Exit codes: 0 written, 2 the file cannot be written, or Parquet is not installed."""
    if after is not None and since is not None:
        raise Unusable("Give --after or --since, not both.")
    if form == "parquet":
        try:
            load_pyarrow()
        except ParquetMissing as error:
            raise Unusable(f"{error}.") from None
    with open_database(open_settings()) as store:
        with store.reading() as session:
            begins = first_position_since(session, since) if since is not None else after or 0
            ends = newest_position(session) if until is None else first_position_since(session, until)
        span = Span(begins, ends)
        written = _write(form, out, span.pages(store, FeedFilter(types, plants, items), NO_BOUND))
    if as_json:
        print_json({"file": str(out), "events": written, "next": span.position})
    else:
        click.echo(f"{written} events are in {out}; `--after {span.position}` goes on behind them.")


def _write(form: str, out: Path, pages: Iterable[Sequence[Told]]) -> int:
    """Under another name first, so that nobody reads half a file."""
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        written = write_parquet(str(draft), pages) if form == "parquet" else _write_lines(draft, pages)
        draft.replace(out)
    except OSError as error:
        raise Unusable(f"{out} cannot be written: {error.strerror or error}.") from None
    finally:
        draft.unlink(missing_ok=True)
    return written


def _write_lines(path: Path, pages: Iterable[Sequence[Told]]) -> int:
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for page in pages:
            file.writelines(line_of(told) for told in page)
            written += len(page)
    return written
