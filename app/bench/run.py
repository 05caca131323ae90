"""One run of ``lineside bench chaos``: what is sent, the faults, and the count in the end."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select

from app.bench.arena import Arena
from app.bench.counting import Sent, count, doubles, files_of
from app.bench.feed import Sending, make_feed, messages_of
from app.bench.installation import Installation, installation
from app.bench.outcome import Outcome, Plan
from app.bench.practice_systems import TRYTON
from app.bench.schedule import Fault, make_schedule
from app.bench.senders import Senders, archived
from app.bench.told import Name
from app.clock import utc_now
from app.dead_letters.repair import requeue
from app.demo.run import Show
from app.demo.table import wait_until_settled
from app.inbox.states import State
from app.projections.effects import is_anything_left
from app.store.messages_tables import Message
from app.store.session import Store

ACCEPT_SECONDS = 90.0
TAKE_SECONDS = 3.0
SETTLE_SECONDS = 480.0
ARCHIVE_SECONDS = 120.0
PICTURE_SECONDS = 60.0
POLL_SECONDS = 0.05
REFUSED = "target_refused"


def run_chaos(plan: Plan, show: Show, keep: bool = False) -> Outcome:
    """Send, strike, wait until nothing moves any more, count. The home is kept where something was found."""
    home = Path(tempfile.mkdtemp(prefix="lineside-bench-"))
    feed = make_feed(plan.seed, plan.messages, plan.in_tryton)
    clean = False
    try:
        with ExitStack() as ending:
            with show.progress(f"Seed {plan.seed}: starting everything") as advance:
                here = ending.enter_context(
                    installation(
                        home,
                        plan.ground,
                        with_tryton=plan.in_tryton > 0,
                        progress=lambda share, _doing: advance(share),
                    )
                )
            outcome = _run(plan, feed, here, show, home)
        clean = outcome.is_clean
    finally:
        if clean and not keep:
            shutil.rmtree(home, ignore_errors=True)
    return outcome


def _run(plan: Plan, feed: Sequence[Sending], here: Installation, show: Show, home: Path) -> Outcome:
    began = time.monotonic()
    schedule = make_schedule(plan.seed, plan.faults, len(feed), plan.possible_kinds())
    senders = Senders(feed, here.url, here.key, here.settings.drop_dir)
    with show.progress(f"Seed {plan.seed}: sending under fire") as advance, senders.running():
        for fault in schedule:
            senders.let_through(fault.place)
            senders.wait(ACCEPT_SECONDS)
            advance(fault.place / len(feed))
            _strike(here.arena, fault, senders, len(feed))
        senders.let_through(len(feed))
        taken = senders.wait(ACCEPT_SECONDS)
    messages = messages_of(feed)
    files = {sending.file_name for sending in feed if sending.file_name}
    with show.progress(f"Seed {plan.seed}: waiting until all is quiet") as advance:
        taken = _wait_for_files(here, files) and taken
        settled = _settle(here.store, len(messages), advance)
        missed = here.arena.end([fault.kind for fault in schedule])
        requeued = _requeue(here.store, {name for name, report in messages.items() if report.refused_by})
        settled = (_settle(here.store, len(messages), advance) if requeued else settled) and taken
    settled = _wait_for_the_picture(here.store) and settled
    return _outcome(plan, feed, here, senders, missed, requeued, settled, time.monotonic() - began, home)


def _strike(arena: Arena, fault: Fault, senders: Senders, last: int) -> None:
    """Let the fault happen while messages flow, and give it a moment to meet one."""
    has_struck = arena.strike(fault)
    senders.let_through(min(fault.place + 1, last))
    until = time.monotonic() + TAKE_SECONDS
    while not has_struck() and time.monotonic() < until:
        time.sleep(POLL_SECONDS)


def _wait_for_files(here: Installation, files: Collection[str]) -> bool:
    until = time.monotonic() + ARCHIVE_SECONDS
    while not archived(here.settings.drop_dir) >= set(files):
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _settle(store: Store, messages: int, advance: Any) -> bool:
    return wait_until_settled(store, messages, SETTLE_SECONDS, lambda settled: advance(settled / messages))


def _wait_for_the_picture(store: Store) -> bool:
    until = time.monotonic() + PICTURE_SECONDS
    while time.monotonic() < until:
        with store.reading() as session:
            if not is_anything_left(session):
                return True
        time.sleep(POLL_SECONDS)
    return False


def _dead(store: Store) -> dict[Name, tuple[int, str]]:
    query = select(Message.source, Message.source_message_id, Message.id, Message.reason_code)
    with store.reading() as session:
        rows = session.execute(query.where(Message.state == State.DEAD.value))
        return {(source, message_id): (number, reason or "") for source, message_id, number, reason in rows}


def _requeue(store: Store, refused: Collection[Name]) -> Counter[str]:
    """Requeue once, as a person would, what died of the faults and not of a refusal that was meant; by reason."""
    found = {
        name: (number, reason)
        for name, (number, reason) in _dead(store).items()
        if name not in refused or reason != REFUSED
    }
    with store.writing() as session:
        ids = [number for number, _ in found.values()]
        requeue(session, ids, "bench", utc_now(), out_of_order="the bench counts what went before")
    return Counter(reason for _, reason in found.values())


def _outcome(
    plan: Plan,
    feed: Sequence[Sending],
    here: Installation,
    senders: Senders,
    missed: Sequence[str],
    requeued: Mapping[str, int],
    settled: bool,
    seconds: float,
    home: Path,
) -> Outcome:
    reports, files = messages_of(feed), files_of(feed)
    in_archive = archived(here.settings.drop_dir)
    accepted = {*senders.told.accepted_at, *(name for name, file in files.items() if file in in_archive)}
    dead = {name: reason for name, (_, reason) in _dead(here.store).items()}
    books = here.books()
    counted = count(Sent(reports, files, senders.told, frozenset(accepted), dead), books)
    return Outcome(
        plan=plan,
        accepted=len(accepted),
        count=counted,
        doubled=max(doubles(books.entries), len(counted.doubled)),
        in_tryton=sum(entry.system == TRYTON for entry in books.entries),
        drafts=books.drafts,
        refused_at_the_door=tuple(f"{name[1]}: {answer}" for name, answer in senders.told.refused.items()),
        dead=Counter(dead.values()),
        requeued=requeued,
        faults=here.arena.struck,
        missed=tuple(missed),
        reached=frozenset(here.arena.switches.reached()),
        settled=settled,
        seconds=seconds,
        home=home,
        unfinished=_unfinished(here.store),
    )


def _unfinished(store: Store) -> dict[str, str]:
    ended = [State.POSTED.value, State.DISCARDED.value, State.COMPENSATED.value]
    query = select(Message).where(or_(Message.state.not_in(ended), Message.step.is_not(None))).order_by(Message.id)
    with store.reading() as session:
        return {
            f"{one.source}/{one.source_message_id}": f"{one.state}, waits for {one.waiting_for}, {one.reason}"
            for one in session.execute(query).scalars()
        }
