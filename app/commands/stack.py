"""Run everything together until it is told to end, with plain words for what keeps it from starting."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.adapters.known_names import known_names
from app.commands.database import plain_database_faults
from app.commands.exits import Unreachable, Unusable
from app.commands.opening import open_topology
from app.commands.printing import print_json, terminal
from app.stack.births import Births
from app.stack.instance import AlreadyRunning
from app.stack.ports import PortsTaken
from app.stack.procfile import product_programs
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


def run_up(settings: Settings, births: Births, as_json: bool) -> None:
    """Until a signal; raises what has an exit code."""
    topology = open_topology(settings, known_names())
    console = terminal(to_stderr=True)
    with plain_faults(settings), claimed_home(settings, product_ports(settings), console.print) as instance:
        births.home_is_ours()
        prepare_database(settings, topology)
        commands = product_programs(settings, topology)
        with running_stack(settings, topology, instance, commands, births, console.print):
            if as_json:
                print_json({"addresses": addresses(settings), "home": str(settings.home)})
            else:
                for name, address in addresses(settings).items():
                    console.print(f"{name:<8} {address}")
                console.print("Ctrl-C ends every process.")
            wait_for_the_end()
