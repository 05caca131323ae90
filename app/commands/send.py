"""`lineside send`: one file to Lineside, the way its source would send it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import urllib3

from app.commands.exits import NO, Unreachable, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json
from app.intake.placing import place_file
from app.stack.running import reachable_host
from app.web.bodies import BATCH, STRUCTURED
from app.web.file_bodies import NameSaysNothing, content_type_of
from config.settings import Settings, secret_variable
from config.topology import Source

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """One message's answer: accepted, repeat, conflict or refused. ``state``: of a repeat, the first one's by now."""

    status: str
    id: int | None
    told: str | None = None
    state: str | None = None


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", "source_code", required=True, help="The source's code in the topology.")
@click.option("--plant", help="Needed where the source sends for several plants.")
@click.option("--type", "message_type", help="What the source calls this kind of message; CloudEvents carry it.")
@click.option("--id", "message_id", help="The message's id at its source; by default it is made from the content.")
@click.option("--url", help="Where Lineside answers; by default this machine's.")
@click.option(
    "--key-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Holds the source's key."
)
@json_option
def send(
    file: Path,
    source_code: str,
    plant: str | None,
    message_type: str | None,
    message_id: str | None,
    url: str | None,
    key_file: Path | None,
    as_json: bool,
) -> None:
    """Send FILE as SOURCE: over HTTP, or into the drop folder of a source that drops files.

    The key comes from --key-file, or from LINESIDE_SECRET_KEY_SOURCE (the source's code in capitals, - as _). Exit
    codes: 0 accepted or a repeat, 1 refused or in conflict, 2 the call has to be mended, 3 Lineside does not answer.
    """
    settings = open_settings()
    sources = open_topology(settings).sources
    if source_code not in sources:
        raise Unusable(f"The topology has no source {source_code!r}; it has: {', '.join(sources)}.")
    source = sources[source_code]
    if source.intake == "drop":
        _drop(file, source, settings, as_json)
        return
    base_url = url or f"http://{reachable_host(settings.host)}:{settings.port}"
    query = {name: value for name, value in (("plant", plant), ("type", message_type)) if value}
    answers = _post(file, source, base_url.rstrip("/"), query, message_id, _key(settings, source, key_file))
    _tell(answers, as_json)


def _drop(file: Path, source: Source, settings: Settings, as_json: bool) -> None:
    patterns = [kind.pattern for kind in source.files]
    if not any(fnmatch(file.name, pattern) for pattern in patterns):
        raise Unusable(f"Source {source.code} drops files named {', '.join(patterns)}; rename {file.name}.")
    placed = place_file(settings.drop_dir / source.code / "in", file.name, file.read_bytes())
    if as_json:
        print_json({"placed": str(placed)})
    else:
        click.echo(f"Placed {placed}. Its rows are in the console once the watcher has taken it.")


def _key(settings: Settings, source: Source, key_file: Path | None) -> str:
    if key_file is not None:
        return key_file.read_text(encoding="utf-8").strip()
    name = f"key-{source.code}"
    key = settings.secret(name)
    if not key:
        raise Unusable(
            f"No key for source {source.code}: give --key-file, or set {secret_variable(name)}. "
            f"`lineside keys create --source {source.code} --label ...` makes one."
        )
    return key.strip()


def _post(
    file: Path, source: Source, base_url: str, query: dict[str, str], message_id: str | None, key: str
) -> list[Answer]:
    body = file.read_bytes()
    content_type = _content_type(file, body)
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {key}"}
    if content_type not in (STRUCTURED, BATCH):
        if "type" not in query:
            raise Unusable("Give --type: what the source calls this kind of message.")
        query = {**query, "source": source.code}
        # The same file gives the same id, so sending it twice by mistake is a repeat.
        headers["Idempotency-Key"] = message_id or f"file-{hashlib.sha256(body).hexdigest()[:32]}"
    address = f"{base_url}/v1/messages" + (f"?{urlencode(query)}" if query else "")
    try:
        answer = urllib3.request(
            "POST", address, body=body, headers=headers, timeout=TIMEOUT_SECONDS, retries=False, redirect=False
        )
    except urllib3.exceptions.HTTPError as error:
        raise Unreachable(
            f"Lineside does not answer at {base_url} ({type(error).__name__}); start it, or give --url."
        ) from None
    return _answers(answer)


def _content_type(file: Path, body: bytes) -> str:
    try:
        return content_type_of(file.name, body)
    except NameSaysNothing as error:
        raise Unusable(str(error)) from None


def _answers(answer: urllib3.BaseHTTPResponse) -> list[Answer]:
    try:
        body: Any = answer.json()
    except ValueError:
        raise Unreachable(f"What answers there is not Lineside (status {answer.status}).") from None
    if not isinstance(body, dict):
        raise Unreachable(f"What answers there is not Lineside (status {answer.status}).")
    if "results" in body:
        return [
            Answer(each["status"], each.get("id"), _told(each.get("problem")), each.get("state"))
            for each in body["results"]
        ]
    if answer.status in (200, 202):
        return [Answer(body["status"], body["id"], state=body.get("state"))]
    return [Answer("conflict" if answer.status == 409 else "refused", body.get("id"), _told(body))]


def _told(problem: Any) -> str | None:
    return str(problem.get("detail") or problem.get("title")) if isinstance(problem, dict) else None


def _tell(answers: list[Answer], as_json: bool) -> None:
    if as_json:
        print_json(
            {"results": [{"status": a.status, "id": a.id, "problem": a.told, "state": a.state} for a in answers]}
        )
    else:
        for answer in answers:
            told = answer.told or (f"it is {answer.state}" if answer.state else "")
            click.echo(f"{answer.status} {answer.id or ''}".rstrip() + (f": {told}" if told else ""))
    if any(answer.status not in ("accepted", "repeat") for answer in answers):
        click.get_current_context().exit(NO)
