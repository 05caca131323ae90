"""The book of numbers: what it calls missing is exactly what is missing, however and by whomever it was noted."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.completeness.book import SPANS_MOST, Book, Happening, read_book, write_book
from app.inbox.sightings import ranges_of, read_number
from config.completeness import Counting
from tests.factories import NOON

GRACE = timedelta(minutes=5)
LATER = NOON + GRACE


def noted(*numbers: int, counting: Counting | None = None) -> Book:
    book = Book(counting or Counting())
    for number in numbers:
        book.note(number, number, NOON)
    return book


def holes(book: Book, now: datetime = LATER) -> list[tuple[int, int]]:
    return [(book.shown(first), book.shown(last)) for first, last in book.holes(now, GRACE)]


def go_on(book: Book, *numbers: int, seconds: float) -> list[Happening]:
    """Note these so long after noon, and settle when their grace time is over."""
    for number in numbers:
        book.note(number, number, NOON + timedelta(seconds=seconds))
    return book.settle(LATER + timedelta(seconds=seconds), GRACE)


@given(st.sets(st.integers(1, 120), min_size=1), st.randoms(use_true_random=False), st.integers(1, 30))
def test_what_is_missing_is_what_did_not_come_whatever_the_order_and_the_portions(
    numbers: set[int], random: object, portion: int
) -> None:
    came = sorted(numbers)
    random.shuffle(came)  # type: ignore[attr-defined]
    book = Book(Counting())
    for start in range(0, len(came), portion):
        for first, last in ranges_of(came[start : start + portion]):
            book.note(first, last, NOON)
        book = read_book(write_book(book), Counting())  # as another process takes it over

    missing = [number for first, last in book.holes(LATER, GRACE) for number in range(first, last + 1)]
    assert missing == sorted(set(range(min(numbers), max(numbers) + 1)) - numbers)
    assert book.settle(LATER, GRACE) == []
    assert book.holes(LATER - timedelta(seconds=1), GRACE) == []


@given(st.integers(1, 9_999), st.lists(st.booleans(), min_size=2, max_size=60))
def test_a_count_that_wraps_goes_on_as_if_it_did_not(first: int, sent: list[bool]) -> None:
    counting = Counting(start=1, wrap_at=9_999)
    numbers = [(first + index - 1) % 9_999 + 1 for index in range(len(sent))]
    came = [number for number, was_sent in zip(numbers, sent, strict=True) if was_sent]
    expected = [n for n in numbers if n not in came]
    if came:
        inner = numbers[numbers.index(came[0]) : numbers.index(came[-1])]
        expected = [number for number in inner if number not in came]
    book = noted(*came, counting=counting)

    missing = [book.shown(n) for a, b in (book.holes(LATER, GRACE) if came else []) for n in range(a, b + 1)]

    assert missing == (expected if came else [])


@given(
    st.lists(st.tuples(st.integers(1, 30) | st.integers(1, 9_999), st.integers(1, 8), st.booleans()), max_size=40),
    st.sampled_from([None, 9_999]),
)
def test_whatever_a_source_counts_the_book_stays_sound_and_falls_silent(
    came: list[tuple[int, int, bool]], wrap_at: int | None
) -> None:
    counting = Counting(wrap_at=wrap_at, largest_gap=100)
    book, now = Book(counting), NOON
    for first, length, with_pause in came:
        book.note(first, first + length - 1, now)
        now += timedelta(seconds=400 if with_pause else 1)
        book.settle(now, GRACE)
        assert read_book(write_book(book), counting) == book
        spans = book.spans
        assert all(low.last + 1 < high.first for low, high in pairwise(spans))
        assert len(spans) <= SPANS_MOST

    book.settle(now + GRACE, GRACE)
    assert book.settle(now + 2 * GRACE, GRACE) == []
    for first, last in book.holes(now + GRACE, GRACE):
        book.waive(book.run, first, last, now)
    assert book.holes(now + GRACE, GRACE) == []


def test_a_hole_that_a_late_number_parts_in_two_is_as_old_as_it_was() -> None:
    book = noted(1, 9)
    book.note(5, 5, LATER - timedelta(seconds=1))

    assert holes(book) == [(2, 4), (6, 8)]


def test_a_number_that_two_messages_have_is_told_as_a_repeat_and_nothing_is_missing() -> None:
    book = noted(*range(50, 80))

    told = go_on(book, 60, 80, 81, seconds=10)

    assert told == [Happening("repeated", 60, 60, 1, 79)]
    assert holes(book) == []
    assert go_on(book, 82, seconds=900) == []


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
@pytest.mark.parametrize("high", [40, 5_000])
def test_a_source_that_counts_anew_from_the_start_is_told_once_and_goes_on_from_there(
    order: tuple[int, ...], high: int
) -> None:
    book = noted(1)
    book.note(2, high, NOON)

    told = go_on(book, *order, seconds=10)

    assert told == [Happening("restarted", 1, 3, 3, high)]
    assert (book.run, holes(book)) == (1, [])
    assert go_on(book, 4, 6, seconds=700) == []
    assert holes(book, LATER + timedelta(hours=1)) == [(5, 5)]


def test_a_count_anew_whose_first_number_was_lost_is_found_by_those_that_follow() -> None:
    book = noted(1)
    book.note(2, 5_000, NOON)

    (told,) = go_on(book, *range(2, 20), seconds=10)

    assert (told.kind, told.first, told.before) == ("restarted", 2, 5_000)


def test_a_leap_beyond_the_largest_gap_is_a_new_count_and_no_gap_of_that_size() -> None:
    book = noted(1, 2, 3)

    told = go_on(book, 900_000, 900_001, seconds=10)

    assert told == [Happening("restarted", 900_000, 900_001, 2, 3)]
    assert holes(book, LATER + timedelta(hours=1)) == []


@pytest.mark.parametrize("again", [(1, 2, 3), (900_000,)])
def test_what_looked_like_a_new_count_hides_no_gap_where_the_old_one_goes_on(again: tuple[int, ...]) -> None:
    book = noted(*range(1, 51))
    go_on(book, *again, seconds=10)

    go_on(book, 51, 53, seconds=400)

    assert (book.run, holes(book, LATER + timedelta(hours=1))) == (0, [(52, 52)])


def test_the_count_goes_on_after_a_stray() -> None:
    book = noted(1, 2, 3)
    book.note(900_000, 900_000, NOON + timedelta(seconds=10))

    told = go_on(book, 4, 5, seconds=20)

    assert told == [Happening("stray", 900_000, 900_000, 1, 5)]
    assert (book.high, book.run) == (5, 0)


def test_a_book_stays_within_its_bound_and_says_up_to_where_it_looks_no_more() -> None:
    book = noted(*range(1, 4 * SPANS_MOST, 2), counting=Counting(largest_gap=10_000))

    assert len(book.spans) == SPANS_MOST
    assert book.floor is not None
    assert holes(book)[0] == (book.floor + 2, book.floor + 2)
    assert go_on(book, 2, seconds=1) == []


@pytest.mark.parametrize(
    ("value", "number"),
    [("007", 7), (12, 12), (" 3 ", 3), (True, None), ("1.5", None), ("", None), (None, None), ("9" * 30, None)],
)
def test_a_number_is_read_only_where_there_is_one(value: object, number: int | None) -> None:
    assert read_number(value) == number
