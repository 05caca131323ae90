"""`lineside new layout`: the layout file of an IDoc type from the parser text that SAP gives of it."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.exits import AnswerIsNo, Unusable
from app.commands.printing import json_option, plain_line, print_json, terminal
from app.new_sources.idoc_parser_text import ParserTextFault, decoded, layout_text, segments_of
from config.record_layouts import read_layout
from config.topology_includes import MAX_FILE_BYTES

PARSER_TEXT_BYTES = 20_000_000
SHOWN_FAULTS = 20


@click.command("layout")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "parser_text", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--segment", "wanted", multiple=True, metavar="TYPE", help="This segment alone; may be given repeatedly.")
@json_option
def layout(file: Path, parser_text: Path, wanted: tuple[str, ...], as_json: bool) -> None:
    """Write the layout FILE of flat IDocs from what transaction WE60 gives by Documentation, Parser. A source names it
    in its option `layouts`.

    Nothing is overwritten. Exit codes: 0 written, 1 the text cannot become a layout, 2 the call has to be mended.
    """
    if file.exists():
        raise Unusable(f"{file} is there already, and nothing is overwritten; choose another name.")
    if not file.parent.is_dir():
        raise Unusable(f"There is no folder {file.parent}; make it first.")
    if parser_text.stat().st_size > PARSER_TEXT_BYTES:
        raise Unusable(f"{parser_text} has more than {PARSER_TEXT_BYTES:,} bytes; download one IDoc type alone.")
    try:
        found = segments_of(decoded(parser_text.read_bytes()))
    except ParserTextFault as fault:
        raise AnswerIsNo(f"{parser_text}: {fault}") from None
    if unknown := [name for name in wanted if name not in found]:
        raise Unusable(f"The text has no segment {unknown[0]!r}; it has {', '.join(list(found)[:SHOWN_FAULTS])}.")
    chosen = {name: fields for name, fields in found.items() if not wanted or name in wanted}
    text = layout_text(chosen, parser_text.name)
    if len(text.encode()) > MAX_FILE_BYTES:
        raise AnswerIsNo(f"The layout would have more than {MAX_FILE_BYTES:,} bytes; take some segments by --segment.")
    if faults := read_layout(text, str(file))[1]:
        told = "\n".join(f"{fault.path.partition('.')[2]}: {fault.reason}" for fault in faults[:SHOWN_FAULTS])
        raise AnswerIsNo(f"The text of {parser_text} is no sound layout; mend it, or download it anew.\n{told}")
    file.write_text(text, encoding="utf-8")
    counts = {name: len(fields) for name, fields in chosen.items()}
    if as_json:
        print_json({"file": str(file), "segments": counts})
        return
    console = terminal()
    for name, count in counts.items():
        plain_line(console, f"  {name:<28} {count} columns")
    plain_line(console, f"wrote {file}")
    plain_line(console, f"Name it in the source's options, relative to the topology file: layouts: [{file.name}]")
