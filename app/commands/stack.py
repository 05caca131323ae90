"""`lineside up`: everything together, until it is told to end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from app.adapters.known_names import known_names
from app.commands.database import plain_database_faults
from app.commands.exits import Unreachable, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json, terminal
from app.stack.instance import AlreadyRunning
from app.stack.ports import PortsTaken
from app.stack.procfile import PRODUCT, chosen_commands
from app.stack.running import StartFailed, addresses, claimed_home, prepare_database, product_ports, running_stack
from app.stack.valkey import SocketUnusable
from config.settings import Settings


@contextmanager
def plain_faults(settings: Settings) -> Iterator[None]:
    """What can keep an installation from starting as an exit code with one clear line, and an interruption as an end
    in order."""
    try:
        with plain_database_faults(settings.database_url):
            yield
    except KeyboardInterrupt:
        return
    except (AlreadyRunning, PortsTaken, SocketUnusable) as error:
        raise Unusable(str(error)) from None
    except StartFailed as error:
        raise Unreachable(str(error)) from None
    except OSError as error:
        if error.filename is None:
            raise
        raise Unusable(
            f"{error.filename}: {error.strerror}. LINESIDE_HOME has to be a folder we can write to."
        ) from None


def wait_for_the_end() -> None:
    """Until a signal interrupts."""
    while True:
        time.sleep(3600)


@click.command()
@json_option
def up(as_json: bool) -> None:
    """Run Lineside: broker, API and console, workers, relay, watcher and Flower, until Ctrl-C.

    What ends by itself is started again. Logs are in LINESIDE_HOME/log, one file a process. Exit codes: 0 ended in
    order, 2 a setting, the topology or a port has to be mended, 3 the database or the broker does not answer.
    """
    settings = open_settings()
    topology = open_topology(settings, known_names())
    console = terminal(to_stderr=True)
    with plain_faults(settings), claimed_home(settings, product_ports(settings), console.print) as instance:
        prepare_database(settings, topology)
        commands = chosen_commands(settings, PRODUCT)
        with running_stack(settings, topology, instance, commands, {}, console.print):
            if as_json:
                print_json({"addresses": addresses(settings), "home": str(settings.home)})
            else:
                for name, address in addresses(settings).items():
                    console.print(f"{name:<8} {address}")
                console.print("Ctrl-C ends every process.")
            wait_for_the_end()
