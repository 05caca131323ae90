"""A source's key: shown once, good for its source, and gone when it is revoked."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.access.keys import KeyRing, authenticate_key, create_key, list_keys, revoke_key
from app.store.access_tables import ApiKey
from app.store.session import Store
from tests.factories import NOON


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def new_key(store: Store, source: str = "mes", plants: tuple[str, ...] = ("P100",)) -> tuple[str, int]:
    with store.writing() as session:
        return create_key(session, "line 4", source, plants, NOON)


def test_a_key_proves_its_source_and_its_plants(sqlite_store: Store) -> None:
    plain, key_id = new_key(sqlite_store, plants=("P200", "P100"))

    with sqlite_store.reading() as session:
        owner = authenticate_key(session, plain)

    assert owner is not None
    assert (owner.id, owner.source, owner.plants) == (key_id, "mes", frozenset({"P100", "P200"}))


def test_a_key_has_256_random_bits_and_is_stored_as_a_hash_only(sqlite_store: Store) -> None:
    plain, _ = new_key(sqlite_store)

    with sqlite_store.reading() as session:
        stored = session.scalars(select(ApiKey)).one()

    assert re.fullmatch(r"ls_[A-Za-z0-9_-]{43}", plain)
    assert plain not in repr(vars(stored))
    assert len(stored.digest) == 64


@pytest.mark.parametrize("wrong", ["", "ls_", "x" * 46, "ls_" + "A" * 43, "ls_" + "A" * 10_000, "ls_\0" + "A" * 42])
def test_what_is_no_key_of_ours_proves_nothing(sqlite_store: Store, wrong: str) -> None:
    new_key(sqlite_store)

    with sqlite_store.reading() as session:
        assert authenticate_key(session, wrong) is None


def test_a_key_of_no_named_plant_is_good_for_every_plant_of_its_source(sqlite_store: Store) -> None:
    plain, _ = new_key(sqlite_store, plants=())

    with sqlite_store.reading() as session:
        owner = authenticate_key(session, plain)

    assert owner is not None
    assert owner.may_send_for("P300")


def test_a_revoked_key_is_listed_and_proves_nothing(sqlite_store: Store) -> None:
    plain, key_id = new_key(sqlite_store)

    with sqlite_store.writing() as session:
        first, second = revoke_key(session, key_id, NOON), revoke_key(session, key_id, NOON)

    with sqlite_store.reading() as session:
        assert authenticate_key(session, plain) is None
        assert [record.revoked_at for record in list_keys(session)] == [NOON]
    assert (first, second) == (True, False)


def test_a_revoked_key_stops_within_five_seconds(sqlite_store: Store) -> None:
    plain, key_id = new_key(sqlite_store)
    seconds = Seconds()
    ring = KeyRing(sqlite_store, monotonic=seconds)
    assert ring.owner(plain) is not None

    with sqlite_store.writing() as session:
        revoke_key(session, key_id, NOON)
    seconds.now += 5

    assert ring.owner(plain) is None


def test_a_key_is_remembered_for_a_moment_without_asking_the_database(sqlite_store: Store) -> None:
    plain, key_id = new_key(sqlite_store)
    seconds = Seconds()
    ring = KeyRing(sqlite_store, monotonic=seconds)
    ring.owner(plain)

    with sqlite_store.writing() as session:
        revoke_key(session, key_id, NOON)
    seconds.now += 1

    assert ring.owner(plain) is not None


def test_a_new_key_works_at_once_though_it_was_tried_before(sqlite_store: Store) -> None:
    ring = KeyRing(sqlite_store, monotonic=Seconds())
    assert ring.owner("ls_" + "A" * 43) is None

    plain, _ = new_key(sqlite_store)

    assert ring.owner(plain) is not None


@pytest.mark.parametrize("label", ["", "   ", "x" * 121])
def test_a_key_without_a_usable_label_is_not_made(sqlite_store: Store, label: str) -> None:
    with pytest.raises(ValueError, match="label"), sqlite_store.writing() as session:
        create_key(session, label, "mes", (), NOON)
