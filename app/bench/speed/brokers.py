"""A broker without anything before it: the stack's own kind, for the product and for its yardsticks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from app.bench.ground import virtual_host
from app.bench.installation import Ground
from app.bench.speed.programs import await_condition, program
from app.stack import valkey
from config.settings import load_settings


@contextmanager
def product_broker(ground: Ground) -> Iterator[str]:
    """The address as the product is told it; empty for the embedded one, which it starts itself."""
    if ground.stack == "sqlite+valkey":
        yield ""
        return
    server = urlsplit(ground.broker_url)
    with virtual_host(ground.broker_url) as name:
        yield f"amqp://{server.netloc}/{name}"


@contextmanager
def yardstick_broker(ground: Ground, home: Path) -> Iterator[str]:
    """The same broker with the same settings, for a program that is not ours."""
    if ground.stack != "sqlite+valkey":
        with product_broker(ground) as url:
            yield url
        return
    settings = load_settings({"LINESIDE_HOME": str(home)})
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    server = valkey.program(settings)
    with program(server.arguments, home / "valkey.log", server.environment):
        await_condition(lambda: valkey.is_answering(settings), "the embedded broker", home / "valkey.log")
        yield settings.broker_url
