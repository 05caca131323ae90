"""Send a sample shift the way its systems would: over HTTP with each source's key, and as files moved into place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import urllib3

from app.access.keys import list_keys
from app.demo.shift import LAST_RUN, Sending, Shift
from app.intake.placing import place_file
from app.store.session import Store
from app.web.access_acts import add_key, revoke_key

SEND_TIMEOUT_SECONDS = 30.0
_LABEL = re.compile(r"demonstration shift (\d+)")


class SendFailed(Exception):
    """Lineside did not take a message of the shift; the text holds its answer."""


def next_run(store: Store) -> int:
    """The number of the next shift. It is kept where the messages are, as the label of the keys that sent them, so a
    new home on an old database repeats no id."""
    with store.reading() as session:
        labels = [record.owner.label for record in list_keys(session)]
    runs = [int(found[1]) for label in labels if (found := _LABEL.fullmatch(label))]
    return max(runs, default=0) % LAST_RUN + 1


@contextmanager
def shift_keys(
    store: Store, run: int, sources: list[str], actor: str, now: Callable[[], datetime]
) -> Iterator[dict[str, str]]:
    """A key for each source, good for this shift only."""
    label = f"demonstration shift {run}"
    with store.writing() as session:
        made = {source: add_key(session, label, source, [], actor, now()) for source in sources}
    try:
        yield {source: plain for source, (plain, _) in made.items()}
    finally:
        for _, key_id in made.values():
            revoke_key(store, key_id, actor, now())


def send_shift(
    shift: Shift, base_url: str, keys: Mapping[str, str], drop_dir: Path, sent: Callable[[], None]
) -> Counter[str]:
    """Send everything; ``sent`` is called after each request and file. Returns the answers by kind."""
    answers: Counter[str] = Counter()
    with urllib3.PoolManager(retries=False, timeout=SEND_TIMEOUT_SECONDS) as pool:
        for sending in shift.reports:
            answers[_send(pool, base_url, sending, keys[sending.source])] += 1
            sent()
    for drop in shift.files:
        place_file(drop_dir / drop.source / "in", drop.name, drop.body)
        sent()
    return answers


def _send(pool: urllib3.PoolManager, base_url: str, sending: Sending, key: str) -> str:
    headers = {"Content-Type": sending.message.content_type, "Authorization": f"Bearer {key}"}
    query = {"plant": sending.plant}
    if not sending.message.content_type.startswith("application/cloudevents"):
        query |= {"source": sending.source, "type": sending.message.type}
        headers["Idempotency-Key"] = sending.message_id
    url = f"{base_url}/v1/messages?{urlencode(query)}"
    try:
        answer = pool.request("POST", url, body=sending.message.body, headers=headers)
    except urllib3.exceptions.HTTPError as error:
        raise SendFailed(f"{url} did not answer: {type(error).__name__}.") from None
    if answer.status not in (200, 202):
        told = answer.data.decode(errors="replace")[:500]
        raise SendFailed(f"{sending.message_id} from {sending.source} was answered {answer.status}: {told}")
    return str(answer.json()["status"])
