"""The bench's count finds what it looks for: a harness that cannot be red proves nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import urllib3

from app.bench.counting import Books, Count, Sent, count, doubles, files_of
from app.bench.feed import Sending, make_feed, messages_of
from app.bench.plain_books import Entry, PlainBooks
from app.bench.practice_systems import BIN_TAKES, ERP, LOCKED_ITEM, REVERSAL, TRYTON, WMS, PracticeSystems
from app.bench.reports import MOVED, TRYTON_PLANT, Report
from app.bench.told import Told
from app.bench.tryton_books import sorted_out

STOCK, LINE = ("P100-ST", "WHEEL-10"), ("P100-WIP", "WHEEL-10")


def moved(number: int, key: str | None = "lot:L1") -> Report:
    return Report("P100", "mes", f"m{number}", MOVED, {}, key, number, {STOCK: -2, LINE: 2})


def told_in_turn(*reports: Report) -> Told:
    told = Told()
    for report in reports:
        told.sent([report])
        told.accepted([report])
    return told


def entries_of(*reports: Report) -> list[Entry]:
    effects = [effect for report in reports for effect in report.effects().items()]
    return [Entry(number, system, key, MOVED) for number, (system, key) in enumerate(effects, start=1)]


def counted(reports: list[Report], entries: list[Entry], moves: int, dead: dict[tuple[str, str], str]) -> Count:
    names = frozenset(report.name for report in reports)
    sent = Sent({report.name: report for report in reports}, {}, told_in_turn(*reports), names, dead)
    return count(sent, Books(entries, {ERP: {STOCK: Decimal(-2 * moves), LINE: Decimal(2 * moves)}}))


def test_books_that_hold_everything_once_are_clean() -> None:
    first, second = moved(1), moved(2)

    found = counted([first, second], entries_of(first, second), 2, {})

    assert found == Count(posted=4)


def test_a_picture_that_differs_from_what_the_messages_brought_about_is_found() -> None:
    first, made = moved(1), replace(moved(2), deltas={STOCK: 5})
    sent = Sent(
        {one.name: one for one in (first, made)}, {}, told_in_turn(first, made), frozenset({first.name, made.name}), {}
    )
    books = Books(entries_of(first, made), {ERP: {STOCK: Decimal(3), LINE: Decimal(2)}})

    right = count(sent, replace(books, picture={("P100", "WHEEL-10"): Decimal(5)}))
    wrong = count(sent, replace(books, picture={("P100", "WHEEL-10"): Decimal(4), ("P200", "X"): Decimal(1)}))

    assert right == Count(posted=4)
    assert wrong.picture == ("WHEEL-10 in P100: 4 instead of 5", "X in P200: 1 instead of 0")


def test_a_document_that_stands_there_twice_is_doubled() -> None:
    only = moved(1)
    entries = [*entries_of(only), replace(entries_of(only)[0], number=9)]

    found = counted([only], entries, 2, {})

    assert doubles(entries) == 1
    assert len(found.doubled) == 1
    assert len(found.stock) == 2


def test_an_accepted_message_without_its_document_is_lost_unless_it_is_dead() -> None:
    first, second = moved(1), moved(2, key=None)

    lost = counted([first, second], entries_of(first), 1, {})
    dead = counted([first, second], entries_of(first), 1, {second.name: "target_refused"})

    assert len(lost.lost) == 2
    assert dead == Count(posted=2)


def test_a_message_that_took_effect_before_an_earlier_one_of_its_key_is_misordered() -> None:
    first, second = moved(1), moved(2)

    found = counted([first, second], entries_of(second, first), 2, {})
    free = counted([moved(1, None), moved(2, None)], entries_of(moved(2, None), moved(1, None)), 2, {})

    assert len(found.misordered) == 1
    assert not free.misordered


def test_of_two_messages_that_were_sent_together_either_may_come_first() -> None:
    first, second = moved(1), moved(2)
    told = Told()
    told.sent([first, second])
    told.accepted([first, second])
    sent = Sent({one.name: one for one in (first, second)}, {}, told, frozenset({first.name, second.name}), {})

    found = count(sent, Books(entries_of(second, first), {}))

    assert not found.misordered


def test_a_row_takes_effect_after_those_above_it_in_its_file() -> None:
    feed = [sending for sending in make_feed(3, 100) if sending.file_name]
    by_lot: dict[str, list[Report]] = {}
    for report in feed[0].reports:
        by_lot.setdefault(str(report.key), []).append(report)
    first, second = next(reports[:2] for reports in by_lot.values() if len(reports) > 1)
    names = frozenset({first.name, second.name})
    sent = Sent({first.name: first, second.name: second}, files_of(feed), Told(), names, {})

    found = count(sent, Books(entries_of(second, first), {}))

    assert len(found.misordered) == 1


def test_a_document_that_nobody_sent_is_unexpected() -> None:
    found = counted([moved(1)], [*entries_of(moved(1)), Entry(9, ERP, "LSUNKNOWN", MOVED)], 1, {})

    assert len(found.unexpected) == 1


def refused(number: int) -> Report:
    return replace(moved(number, key=None), refused_by=WMS)


def test_what_was_posted_of_a_dead_message_is_reversed_once() -> None:
    only = refused(1)
    (key, back), *_ = only.keys(ERP)
    original = Entry(1, ERP, key, MOVED)
    reversal = Entry(2, ERP, back, REVERSAL)
    dead = {only.name: "target_refused"}

    clean = counted([only], [original, reversal], 0, dead)
    left = counted([only], [original], 1, dead)
    twice = counted([only], [original, reversal, replace(reversal, number=3)], -1, dead)
    of_nothing = counted([only], [reversal], -1, dead)

    assert clean == Count(reversed=1)
    assert len(left.unreversed) == 1
    assert len(twice.doubled) == 1
    assert len(of_nothing.unexpected) == 1
    assert all(count.stock for count in (left, twice, of_nothing))


def test_a_message_that_was_reversed_and_requeued_counts_once_under_its_new_keys() -> None:
    only = moved(1)
    entries = []
    for target in only.targets():
        (first, back), (second, _), *_ = only.keys(target)
        entries += [Entry(number, target, key, MOVED) for number, key in enumerate((first, back, second), start=1)]
    without_reversal = [entry for entry in entries if entry.number != 2]

    assert counted([only], entries, 1, {}) == Count(posted=2)
    assert len(counted([only], without_reversal, 2, {}).doubled) == 2


def test_each_book_has_an_order_of_its_own() -> None:
    first, second = (replace(moved(number), erp=TRYTON) for number in (1, 2))
    in_order = [Entry(900 + number, *effect, MOVED) for number, effect in enumerate(_in(TRYTON, first, second))]
    in_order += [Entry(number, *effect, MOVED) for number, effect in enumerate(_in(WMS, first, second), start=1)]
    overtaken = [replace(entry, number=2_000 - entry.number) for entry in in_order if entry.system == TRYTON]

    assert not counted([first, second], in_order, 2, {}).misordered
    assert len(counted([first, second], [*overtaken, *in_order[2:]], 2, {}).misordered) == 1


def _in(target: str, *reports: Report) -> list[tuple[str, str]]:
    return [(target, report.effects()[target]) for report in reports]


def test_tryton_is_believed_about_productions_that_are_done() -> None:
    at = {"year": 2026, "month": 3, "day": 2, "hour": 6, "minute": 0, "second": 0, "microsecond": 5}
    later = at | {"microsecond": 7}
    known = [("LS1 1000123", "done", later), ("LS2", "done", at), ("LS3", "draft", at), ("LS4", "running", at)]
    productions = [{"reference": text, "state": state, "write_date": when} for text, state, when in known]

    state = sorted_out(productions, {})

    assert [entry.posting_key for entry in state.entries] == ["LS2", "LS1"]
    assert state.drafts == 1
    assert state.half_way == (f"{TRYTON} LS4 is running",)


def test_the_practice_books_write_down_every_call(tmp_path: Path) -> None:
    books = PlainBooks(tmp_path / "books.db")

    numbers = [books.write(ERP, "LS1", MOVED, {}, {STOCK: Decimal(3)}) for _ in range(2)]

    assert books.oldest(ERP, "LS1") == numbers[0]
    assert [entry.number for entry in books.entries()] == numbers
    assert books.stock() == {STOCK: Decimal(6)}
    books.close()


def test_the_practice_erp_refuses_a_locked_item(tmp_path: Path) -> None:
    document = {"form": "transfer", "from": "A", "to": "B", "lines": [{"item": LOCKED_ITEM, "quantity": "1"}]}
    with PracticeSystems(tmp_path / "books.db") as systems:
        answer = urllib3.request("POST", f"{systems.url(ERP)}/{MOVED}", json=document, headers={"X-Posting-Key": "LS1"})

        assert answer.status == 422
        assert list(systems.books.entries()) == []


def test_the_practice_wms_refuses_more_than_its_bin_takes_and_the_practice_erp_reverses(tmp_path: Path) -> None:
    task = {"lines": [{"item": "WHEEL-10", "quantity": {"value": str(BIN_TAKES + 1)}}]}
    document = {"form": "transfer", "from": "A", "to": "B", "lines": [{"item": "WHEEL-10", "quantity": "3"}]}
    with PracticeSystems(tmp_path / "books.db") as systems:
        posted = urllib3.request("POST", f"{systems.url(ERP)}/{MOVED}", json=document, headers={"X-Posting-Key": "LS1"})
        path = f"{systems.url(ERP)}/documents/{posted.json()['id']}/reversal"
        refusal = urllib3.request("POST", f"{systems.url(WMS)}/{MOVED}", json=task, headers={"X-Posting-Key": "LS5"})
        undone = urllib3.request("POST", path, headers={"X-Posting-Key": "LS3"})

        assert (posted.status, refusal.status, undone.status) == (201, 422, 201)
        assert [entry.kind for entry in systems.books.entries()] == [MOVED, REVERSAL]
        assert not any(systems.books.stock().values())


def test_so_many_messages_are_posted_to_the_real_erp_and_some_are_reversed_there() -> None:
    reports = messages_of(make_feed(5, 1_000, in_tryton=60)).values()
    there = [report for report in reports if TRYTON in report.targets()]

    assert len(reports) == 1_000
    assert len(there) == 60
    assert {report.plant for report in there} == {TRYTON_PLANT}
    assert any(report.refused_by for report in there)
    assert not any(TRYTON in report.targets() for report in messages_of(make_feed(5, 1_000)).values())


@pytest.mark.parametrize("messages", [60, 200, 2_000])
def test_a_seed_gives_so_many_messages_and_always_the_same(messages: int) -> None:
    feed = make_feed(5, messages)

    assert feed == make_feed(5, messages)
    assert feed != make_feed(6, messages)
    assert len(messages_of(feed)) == messages
    assert any(sending.file_name for sending in feed)
    assert any(report.refused_by for report in messages_of(feed).values())
    assert _repeats(feed)


def _repeats(feed: list[Sending]) -> int:
    return len(feed) - len({sending.body for sending in feed})
