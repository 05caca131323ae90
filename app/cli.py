"""`lineside`: everything that a person does at a terminal. Commands load only when they are called."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

COMMANDS: Mapping[str, str] = {
    "up": "app.commands.up:up",
    "demo": "app.commands.demo:demo",
    "check": "app.commands.check:check",
    "migrate": "app.commands.migrate:migrate",
    "send": "app.commands.send:send",
    "trace": "app.commands.trace:trace",
    "dead": "app.commands.dead:dead",
    "reverse": "app.commands.reverse:reverse",
    "replay": "app.commands.replay:replay",
    "postings": "app.commands.decide:postings",
    "decide": "app.commands.decide:decide",
    "requeue-posting": "app.commands.posting_requeue:requeue_posting",
    "plants": "app.commands.pauses:plants",
    "targets": "app.commands.pauses:targets",
    "mapping": "app.commands.mapping:mapping",
    "new": "app.commands.new:new",
    "reconcile": "app.commands.reconcile:reconcile",
    "projections": "app.commands.projections:projections",
    "lots": "app.commands.lots:lots",
    "retention": "app.commands.retention:retention",
    "measures": "app.commands.measures:measures",
    "exceptions": "app.commands.exceptions:exceptions",
    "crosswalk": "app.commands.crosswalk:crosswalk",
    "contracts": "app.commands.contracts:contracts",
    "export": "app.commands.export:export",
    "webhooks": "app.commands.webhooks:webhooks",
    "keys": "app.commands.keys:keys",
    "accounts": "app.commands.accounts:accounts",
    "valkey": "app.commands.processes:valkey",
    "web": "app.commands.processes:web",
    "worker": "app.commands.processes:worker",
    "beat": "app.commands.processes:beat",
    "watch": "app.commands.processes:watch",
    "flower": "app.commands.processes:flower",
    "bench": "app.commands.bench:bench",
    "practice": "app.commands.practice:practice",
}


class LazyGroup(click.Group):
    """Loads the module of the one command that is called: a process that becomes gunicorn needs nothing of Celery."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: Any = getattr(import_module(module), name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Lineside stands between plants and the ERP: nothing lost, nothing posted twice, every number explained.

    Exit codes: 0 done, 1 the answer is no, 2 the call or the configuration has to be mended, 3 something that is needed
    does not answer.
    """


if __name__ == "__main__":
    sys.exit(main(prog_name="lineside"))
