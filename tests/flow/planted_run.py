"""A run in which every kind of difference is planted: who draws the messages, and what carries them out."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import select

from app.adapters.base import PostingRequest, TargetAnswer
from app.dead_letters.decide import Decision, decide
from app.dead_letters.repair import discard
from app.errors import OutcomeUnknown, Refused, Transient
from app.pipeline.enrich import enrich_due
from app.pipeline.transform import transform_due
from app.projections.projector import project
from app.store.postings_tables import Posting
from app.store.session import Store
from config.topology import CircuitPolicy, Route, RouteTarget
from tests.factories import NOON, accept, know_items, pipeline, release, run_once
from tests.fakes import Books, Clock
from tests.flow.planted import (
    CAUSES,
    COUNT,
    IN_DOUBT,
    ITEMS,
    NOT_YET,
    PLANTS,
    TYPES,
    USUAL,
    Goods,
    Pair,
    Told,
    moment,
    write,
)
from tests.reading import message

CUT_OFF = moment(30)
FIRST_EVENT = NOON - timedelta(hours=6)

NEVER_OPENS = CircuitPolicy(failures=10_000)
PATIENT = {"give_up_seconds": 86_400.0, "wait_seconds": 86_400.0}

SURE = {
    "required": (
        *("dead", "reversed", "retried", "item_missing", "order_missing", "transformed", "enriched"),
        *("late", "raw", "discarded", "found_after", "of_later"),
    ),
    "optional": ("refused", "trails", "late", "trailed_late", "item_missing", "transformed", "enriched", "raw"),
    "unrouted": ("unrouted", "unrouted", "unrouted_late"),
}
OF_COUNTS = ("held", "dead", "retried", "transformed", "refused", "late", "unrouted", "unrouted_late")
FAULTS: Mapping[str, tuple[str, BaseException]] = {
    "dead": ("before", Refused("target_refused", "no such place")),
    "discarded": ("before", Refused("target_refused", "no such place")),
    "refused": ("before", Refused("target_refused", "not wanted")),
    "retried": ("before", Transient("busy")),
    "trails": ("before", Transient("busy")),
    "trailed_late": ("before", Transient("busy")),
    "unknown_lacking": ("before", OutcomeUnknown("no answer")),
    "unknown_held": ("after", OutcomeUnknown("no answer")),
    "found_after": ("after", OutcomeUnknown("no answer")),
    "twice": ("after", OutcomeUnknown("no answer")),
}
FAULTS_ELSEWHERE: Mapping[str, BaseException] = {
    "reversed": Refused("target_refused", "no such delivery"),
    "held_of_another_unfinished": Transient("busy"),
}


STATES: Mapping[str, str] = {
    "dead": "dead",
    "reversed": "dead",
    "discarded": "discarded",
    "raw": "received",
    "retried": "waiting",
    "item_missing": "waiting",
    "order_missing": "waiting",
    "held_of_another_unfinished": "waiting",
    "transformed": "transformed",
    "enriched": "enriched",
}
"""Of a message; all others are posted."""
HELD = ("held", "held_of_another_unfinished", "found_after", "unknown_held", *NOT_YET)
"""What the ERP has in the end."""


AFTER = ("late", "unrouted_late", "of_later")
"""Accepted before the cut-off, and sent after it."""
UNFINISHED = ("unknown_held", "unknown_lacking", "enriched", "transformed", "raw")


class FaultyBooks(Books):
    """Fails with the documents that it is told to, as often as they come, until it is told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, tuple[str, BaseException]] = {}
        self._turn = threading.Lock()

    def post(self, request: PostingRequest) -> TargetAnswer:
        with self._turn:
            when, fault = self.faults.get(request.document["data"]["event_time"], ("before", None))
            self.before, self.after = ([fault], []) if when == "before" else ([], [fault])
            return super().post(request)

    @property
    def times(self) -> list[str]:
        """Of the documents that it holds and has not reversed."""
        gone = {int(one["reverses"].removeprefix("doc-")) for one in self.documents if "reverses" in one}
        kept = (one for number, one in enumerate(self.documents, start=1) if number not in gone)
        return [one["data"]["event_time"] for one in kept if "data" in one]


@dataclass(frozen=True)
class Plan:
    """Which types go to the ERP and how; and which pairs of plant and item are kept for what. Two plantings that could
    each be read as the other are kept apart: see decision 23."""

    routed: Mapping[str, str]
    roles: Mapping[str, Sequence[Pair]]
    told: Sequence[Told]


def draw_plan(seed: int, messages: int = 150, *, planted: bool = True) -> Plan:
    random = Random(seed)
    kinds = random.sample(TYPES, k=len(TYPES))
    how = ["unrouted", "unrouted", "optional", "optional", *["required"] * 3]
    routed = dict(zip(kinds, how if planted else ["required"] * 7, strict=True))
    pairs = random.sample([(plant, item) for plant in PLANTS for item in ITEMS], k=len(PLANTS) * len(ITEMS))
    names = ["wrong", "lots", "storages", "unit", *["doubtful"] * 4, *["free"] * 4]
    roles: dict[str, list[Pair]] = {}
    for number, pair in enumerate(pairs):
        roles.setdefault(names[number % len(names)], []).append(pair)
    drawn = _Drawn(random, routed, roles)
    return Plan(routed, roles, [drawn.draw(number, planted) for number in range(messages)])


@dataclass
class _Drawn:
    random: Random
    routed: Mapping[str, str]
    roles: Mapping[str, Sequence[Pair]]

    def draw(self, number: int, planted: bool) -> Told:
        kind = self.random.choices(TYPES, [1 if self.routed[one] == "unrouted" else 2 for one in TYPES])[0]
        how = self.routed[kind]
        role = self._role(kind, how)
        fate = self._fate(kind, how, role) if planted else "held"
        at = moment(60) if fate == "of_later" else FIRST_EVENT
        at += timedelta(seconds=self.random.randrange(20_000) if fate != "of_later" else 0, microseconds=number + 1)
        goods = self._goods(kind, role, fate)
        data, changes = write(kind, at, goods, self.random, number)
        if fate == "order_missing":
            data["order_id"] = "never-released"
        return Told(number, goods[0].plant, kind, at, data, changes, fate, how == "required")

    def _role(self, kind: str, how: str) -> str:
        others = [] if how == "unrouted" else ["wrong", "lots", "storages", "unit", "doubtful", "doubtful"]
        names = ["doubtful", "free", *others]
        return self.random.choice([name for name in names if not (kind == COUNT and name == "doubtful")])

    def _fate(self, kind: str, how: str, role: str) -> str:
        if role == "unit" or (how != "unrouted" and self.random.random() < 0.4):
            return "held"
        fates = list(SURE[how])
        if role == "doubtful" and how != "unrouted":
            fates = [*IN_DOUBT, *IN_DOUBT, *IN_DOUBT, *fates]
            fates += ["held_of_another_unfinished"] if how == "required" else []
        if kind != "production.completed.v1":
            fates = [fate for fate in fates if fate != "order_missing"]
        if kind == COUNT:
            fates = [fate for fate in fates if fate in OF_COUNTS]
        return self.random.choice(fates)

    def _goods(self, kind: str, role: str, fate: str) -> list[Goods]:
        plant, item = self.random.choice(self.roles[role])
        many = kind in ("production.completed.v1", "material.issued.v1", "shipment.confirmed.v1")
        mine = [one for at, one in self.roles[role] if at == plant]
        items = [item, *self.random.choices(mine, k=self.random.randrange(3))] if many else [item]
        if fate == "item_missing":
            items = [f"NEW-{self.random.randrange(4)}"]
        return [self._some(plant, one, role, fate) for one in items]

    def _some(self, plant: str, item: str, role: str, fate: str) -> Goods:
        """What is in doubt has amounts of which no two combinations are the same."""
        amount = Decimal(self.random.randint(1, 40))
        storage = self.random.choice(("ST", "WIP", "DOCK", *([""] if role == "doubtful" else [])))
        lot = self.random.choice(("", "L1", "L2"))
        if fate in IN_DOUBT:
            amount += Decimal(self.random.randrange(1, 1_000_000)) / 1_000_000
        elif fate != "item_missing" and self.random.random() < 0.2:
            return Goods(plant, item, storage, lot, {"value": str(amount), "uom": "BOX"}, amount * 10)
        return Goods(plant, item, storage, lot, {"value": str(amount), "uom": "EA"}, amount)


class Run:
    """Carries a plan out, so that each message stands where it is to stand when the ERP's balances are compared."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self.store, self.plan, self.clock = store, plan, Clock(NOON)
        self.erp, self.wms = FaultyBooks(), FaultyBooks()
        self.ids: dict[int, int] = {}
        self.books = {"erp": self.erp, "wms": self.wms}
        line = pipeline(store, self.books, self.clock, **PATIENT)
        plants = {code: replace(plant, options={"storage": USUAL}) for code, plant in line.topology.plants.items()}
        routes = [Route("production.order.released.v1", (RouteTarget("wms"),))]
        for kind, how in plan.routed.items():
            erp = () if how == "unrouted" else (RouteTarget("erp", how == "required"),)
            routes.append(Route(kind, (*erp, RouteTarget("wms"))))
        targets = {code: replace(one, circuit=NEVER_OPENS) for code, one in line.topology.targets.items()}
        topology = replace(line.topology, plants=plants, targets=targets, routes=tuple(routes))
        self.line = replace(line, topology=topology)
        know_items(store, "BIKE-100", *ITEMS)
        accept(store, *(release(f"r-{plant}", f"order-{plant}", plant=plant) for plant in PLANTS))
        self._work()

    def carry_out(self) -> None:
        """Unfinished messages come last: whoever works on others would take them up."""
        for one in self.plan.told:
            if one.fate in FAULTS:
                self.erp.faults[one.time] = FAULTS[one.fate]
            if one.fate in FAULTS_ELSEWHERE:
                self.wms.faults[one.time] = ("before", FAULTS_ELSEWHERE[one.fate])
        self._send_twice()
        self._accept(*(fate for fate in CAUSES if fate not in (*AFTER, *UNFINISHED, "found_after")))
        for _ in range(3):
            self._work()
        with self.store.writing() as session:
            discard(session, [self.ids[one.number] for one in self._of("discarded")], "ada", "not wanted", self.clock())
        self._accept("found_after")
        self._work()
        assert not project(self.store, self.clock, 60.0).goes_on
        self._pass_the_cut_off()
        self._leave_unfinished()
        assert not project(self.store, self.clock, 60.0).goes_on
        self._stands_as_planned()

    def _stands_as_planned(self) -> None:
        for one in self.plan.told:
            wanted = STATES.get(one.fate, "posted")
            if one.fate in ("unknown_held", "unknown_lacking") and one.is_required:
                wanted = "waiting"
            copies = 2 if one.fate == "twice" else int(one.fate in HELD)
            stands = message(self.store, self.ids[one.number]).state, self.erp.times.count(one.time)
            assert stands == (wanted, copies), (one.fate, stands)

    def _send_twice(self) -> None:
        """The ERP took them and did not answer; a person who did not find them there says that it has them not."""
        self._accept("twice")
        self._work()
        wanted = [self.ids[one.number] for one in self._of("twice")]
        for one in self._of("twice"):
            del self.erp.faults[one.time]
        with self.store.writing() as session:
            query = select(Posting.id).where(Posting.message_id.in_(wanted), Posting.target == "erp")
            for posting in session.scalars(query).all():
                decide(session, posting, Decision("not_posted", "I looked"), "ada", self.clock())
        self._work()

    def _pass_the_cut_off(self) -> None:
        self.clock.now = CUT_OFF + timedelta(minutes=45)
        for one in self._of("trailed_late", "found_after"):
            self.erp.faults.pop(one.time)
        self._accept(*AFTER, at=NOON)
        self._work()

    def _leave_unfinished(self) -> None:
        """Accepted before the cut-off, and not at its end when the two sides are compared."""
        self._accept("unknown_held", "unknown_lacking", at=NOON)
        self._work(seconds=0)
        self._accept("enriched", at=NOON)
        for plant in PLANTS:
            transform_due(self.line, plant, 1_000)
            enrich_due(self.line, plant, 1_000)
        self._accept("transformed", at=NOON)
        for plant in PLANTS:
            transform_due(self.line, plant, 1_000)
        self._accept("raw", at=NOON)

    def _of(self, *fates: str) -> list[Told]:
        return [one for one in self.plan.told if one.fate in fates]

    def _accept(self, *fates: str, at: datetime = NOON) -> None:
        mine = [one for one in self._of(*fates) if one.number not in self.ids]
        ids = accept(self.store, *(one.incoming for one in mine), at=at)
        self.ids |= {one.number: key for one, key in zip(mine, ids, strict=True)}

    def _work(self, seconds: float = 120) -> None:
        for plant in PLANTS:
            run_once(self.line, plant, 1_000)
        self.clock.pass_time(seconds)
