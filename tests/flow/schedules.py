"""Every order of a few actors' steps, one after the other.

Each actor runs in a thread of its own, but only one of them moves at a time: it stops before each of its transactions
and around each call, and the schedule says who goes on. A schedule is a list of choices; all of them, up to a bound of
deviations from "whoever runs goes on", are walked through by running again and again from the start.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.store.session import Store
from tests.fakes import Killed

STEP_SECONDS = 20.0


class Actor:
    """One worker or person. ``kill`` ends it at the point where it stands."""

    def __init__(self, name: str, work: Callable[[Actor], object]) -> None:
        self.name = name
        self.ended = False
        self.error: BaseException | None = None
        self._killed = False
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Called by the actor itself: stand here until the schedule says go."""
        self._stands.release()
        assert self._go.acquire(timeout=STEP_SECONDS * 10)
        if self._killed:
            raise Killed

    def step(self) -> None:
        self._go.release()
        assert self._stands.acquire(timeout=STEP_SECONDS), f"{self.name} came to no end of its step"

    def kill(self) -> None:
        self._killed = True
        self.step()

    def stands(self) -> None:
        assert self._stands.acquire(timeout=STEP_SECONDS)

    def _run(self, work: Callable[[Actor], object]) -> None:
        try:
            self.pause()
            work(self)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - told by the thread that plays the schedule
            self.error = error
        finally:
            self.ended = True
            self._stands.release()


class SteppedStore(Store):
    """The same database; its user stops before every transaction that writes."""

    def __init__(self, store: Store, actor: Actor) -> None:
        self.url, self.engine, self.actor = store.url, store.engine, actor

    @contextmanager
    def writing(self) -> Iterator[Session]:
        self.actor.pause()
        with super().writing() as session:
            yield session


def unflushed(store: Store) -> Store:
    """Nobody pulls this computer's plug; a thousand flushes to its disk would be most of the test's time."""
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return store


class Choices:
    """One schedule: the given choices, then the first of the options each time."""

    def __init__(self, given: list[int]) -> None:
        self.given = given
        self.taken: list[tuple[int, int]] = []

    def choose(self, options: int) -> int:
        at = len(self.taken)
        chosen = self.given[at] if at < len(self.given) else 0
        self.taken.append((chosen, options))
        return chosen

    def following(self) -> list[int] | None:
        """The next schedule in the walk; None after the last."""
        taken = list(self.taken)
        while taken:
            chosen, options = taken.pop()
            if chosen + 1 < options:
                return [choice for choice, _ in taken] + [chosen + 1]
        return None


class DrawnChoices(Choices):
    """A schedule by chance, repeatable by its seed; it goes on as it was twice as often as it deviates."""

    def __init__(self, seed: int) -> None:
        super().__init__([])
        self.random = random.Random(seed)

    def choose(self, options: int) -> int:
        return self.random.randrange(options) if self.random.random() < 1 / 3 else 0


def every_schedule(run: Callable[[Choices], None]) -> int:
    """Run it once for each schedule; returns how many there are."""
    given: list[int] | None = []
    count = 0
    while given is not None:
        choices = Choices(given)
        run(choices)
        given = choices.following()
        count += 1
    return count


def play(
    actors: list[Actor], events: Mapping[str, Callable[[], object]], choices: Choices, deviations: int, kills: int
) -> list[str]:
    """Let the actors step until all have ended; returns what was done, for a failure to tell.

    A deviation is: another actor goes on, an actor is killed, or one of ``events`` happens (each at most once).
    """
    for actor in actors:
        actor.stands()
    left = dict(events)
    story: list[str] = []
    current = actors[0]
    while alive := [actor for actor in actors if not actor.ended]:
        current = current if not current.ended else alive[0]
        options: list[tuple[str, Callable[[], object], Actor]] = [(current.name, current.step, current)]
        if deviations:
            options += [(actor.name, actor.step, actor) for actor in alive if actor is not current]
            options += [(f"kill {current.name}", current.kill, current)] if kills else []
            options += [(name, act, current) for name, act in left.items()]
        chosen = choices.choose(len(options))
        name, act, current = options[chosen]
        deviations -= chosen > 0
        kills -= name.startswith("kill ")
        left.pop(name, None)
        story.append(name)
        act()
    for actor in actors:
        if actor.error is not None:
            raise AssertionError(f"{actor.name} failed after {story}") from actor.error
    return story
