"""What every adapter promises, tried on each against a target that really keeps books.

The tryton adapter is held to them against a real ERP, in test_tryton_posting.py: its target takes long to build.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from app.adapters.base import Adapter, PostingRequest, TargetSettings
from app.adapters.file import FileAdapter
from app.adapters.http_json import HttpJsonAdapter
from app.adapters.known_names import known_names
from app.adapters.registry import ADAPTERS, SecretMissing, build_adapter, missing_secrets, option_faults, why_not_read
from app.demo.doubles import PracticeDouble
from app.errors import LinesideError, OutcomeUnknown, Refused, TargetPaused, Transient
from config.settings import load_settings
from config.topology import Target
from config.topology_file import load_topology

pytestmark = pytest.mark.enable_socket

DOCUMENT = {"order_id": "1000123", "item": "BIKE-100", "quantity": "12.50", "reversal_of": ""}
TRIED_ON_A_REAL_ERP = {"tryton"}
_numbers = itertools.count()


def request(**changes: Any) -> PostingRequest:
    key = f"LSAAAAAAAAAAAAAAAAAAAAAA{next(_numbers):04d}"
    return replace(PostingRequest(key, "production.completed.v1", "P100", DOCUMENT), **changes)


@dataclass
class Bench:
    """An adapter with its target: ``effects`` counts the documents that the target holds."""

    adapter: Adapter
    effects: Callable[[], int]
    lose_the_next_answer: Callable[[], None]
    refuse_next: Callable[[PostingRequest], None]
    spoil_access: Callable[[], Adapter]


def http_json_bench(tmp_path: Path) -> Iterator[Bench]:
    options = load_topology(None).targets["wms"].options
    double = PracticeDouble("wms", tmp_path, "a-key").start()
    settings = TargetSettings("wms", double.url, 2.0, options, "a-key")

    def effects() -> int:
        return sum(double.books.counts()["documents"].values())

    try:
        yield Bench(
            HttpJsonAdapter(settings),
            effects,
            lambda: double.misbehave(next=1, drop_after_commit=True, method="POST"),
            lambda request: double.misbehave(next=1, status=422, detail="lot L-1 is blocked"),
            lambda: HttpJsonAdapter(replace(settings, secret="wrong")),
        )
    finally:
        double.stop()


def file_bench(tmp_path: Path) -> Iterator[Bench]:
    drop = tmp_path / "outbox"
    options: dict[str, Any] = {"name": "{posting_key}.csv", "format": "csv"}
    waits: dict[str, Any] = {"acknowledged": True, "ack_settle_seconds": 0}
    adapter = FileAdapter(TargetSettings("legacy-erp", "", 2.0, options, None, drop))
    waiting = FileAdapter(TargetSettings("legacy-erp", "", 2.0, options | waits, None, drop))
    in_the_way = tmp_path / "a-file"
    in_the_way.write_text("no folder")

    class LosesAnswers:
        """The file is handed over, and its acknowledgement has not come yet; or the next one is refused when it does:
        the system takes the file away and leaves its reason."""

        lost = 0
        refuses = False

        def __getattr__(self, name: str) -> Any:
            if name == "post" and self.refuses:
                return self.refuse
            if name == "post" and self.lost:
                self.lost -= 1
                return waiting.post
            return getattr(adapter, name)

        def refuse(self, request: PostingRequest) -> Any:
            with suppress(OutcomeUnknown):
                waiting.post(request)
            (drop / f"{request.posting_key}.csv").unlink()
            (drop / "ack" / f"{request.posting_key}.csv.err").write_text("lot L-1 is blocked\nmore")
            return waiting.find(request)

    subject = LosesAnswers()
    yield Bench(
        subject,
        lambda: len(list(drop.glob("*.csv"))),
        lambda: setattr(subject, "lost", 1),
        lambda request: setattr(subject, "refuses", True),
        lambda: FileAdapter(TargetSettings("legacy-erp", "", 2.0, options, None, in_the_way)),
    )


BENCHES: dict[str, Callable[[Path], Iterator[Bench]]] = {"http_json": http_json_bench, "file": file_bench}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    yield from BENCHES[request.param](tmp_path)


def test_every_registered_adapter_is_on_a_bench() -> None:
    assert set(ADAPTERS) == set(BENCHES) | TRIED_ON_A_REAL_ERP


def test_a_posting_has_its_effect_and_a_reference(bench: Bench) -> None:
    answer = bench.adapter.post(request())

    assert answer.reference
    assert bench.effects() == 1


def test_the_same_posting_twice_has_one_effect(bench: Bench) -> None:
    posting = request()

    first, second = bench.adapter.post(posting), bench.adapter.post(posting)

    assert first.reference == second.reference
    assert bench.effects() == 1


def test_two_postings_have_two_effects(bench: Bench) -> None:
    first, second = bench.adapter.post(request()), bench.adapter.post(request())

    assert first.reference != second.reference
    assert bench.effects() == 2


def test_postings_from_several_threads_at_once_each_have_their_effect(bench: Bench) -> None:
    postings = [request() for _ in range(40)]

    with ThreadPoolExecutor(8) as pool:
        references = {answer.reference for answer in pool.map(bench.adapter.post, postings)}

    assert len(references) == bench.effects() == 40


def test_one_posting_from_several_threads_at_once_has_one_effect(bench: Bench) -> None:
    posting = request()

    def post(_: int) -> None:
        with suppress(OutcomeUnknown, Transient):
            bench.adapter.post(posting)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(16)))

    assert bench.effects() == 1
    assert bench.adapter.find(posting) is not None


def test_find_says_none_for_what_was_never_posted(bench: Bench) -> None:
    bench.adapter.post(request())

    assert bench.adapter.find(request()) is None


def test_find_gives_the_reference_that_the_posting_gave(bench: Bench) -> None:
    posting = request()
    answer = bench.adapter.post(posting)

    found = bench.adapter.find(posting)

    assert found is not None
    assert found.reference == answer.reference


def test_a_lost_answer_is_an_unknown_outcome_that_find_settles(bench: Bench) -> None:
    posting = request()
    bench.lose_the_next_answer()

    with pytest.raises(OutcomeUnknown):
        bench.adapter.post(posting)

    assert bench.adapter.find(posting) is not None
    assert bench.effects() == 1


def test_a_refusal_has_the_targets_reason_and_no_effect(bench: Bench) -> None:
    posting = request()
    bench.refuse_next(posting)

    with pytest.raises(Refused, match="lot L-1 is blocked"):
        bench.adapter.post(posting)

    assert bench.effects() == 0


def test_a_reversal_stands_beside_the_original_under_its_own_key(bench: Bench) -> None:
    posting = request()
    original = bench.adapter.post(posting)
    reversal = replace(posting, posting_key=request().posting_key)

    answer = bench.adapter.reverse(reversal, original.reference)

    assert answer.reference != original.reference
    assert bench.adapter.find(posting) is not None
    assert bench.adapter.find(reversal) is not None


def test_a_reversal_twice_is_one_reversal(bench: Bench) -> None:
    posting = request()
    original = bench.adapter.post(posting)
    reversal = replace(posting, posting_key=request().posting_key)

    first = bench.adapter.reverse(reversal, original.reference)

    assert bench.adapter.reverse(reversal, original.reference).reference == first.reference


def test_a_check_passes_on_a_target_that_is_there_and_leaves_nothing(bench: Bench) -> None:
    bench.adapter.check()

    assert bench.effects() == 0


def test_a_check_fails_where_access_is_spoilt(bench: Bench) -> None:
    with pytest.raises((TargetPaused, Transient)):
        bench.spoil_access().check()


def test_a_posting_without_access_waits_and_has_no_effect(bench: Bench) -> None:
    with pytest.raises((TargetPaused, Transient)):
        bench.spoil_access().post(request())

    assert bench.effects() == 0


def test_a_domain_that_a_target_does_not_give_is_refused(bench: Bench) -> None:
    with pytest.raises(Refused):
        list(bench.adapter.read("no-such-domain"))


@pytest.mark.parametrize("name", ADAPTERS)
def test_whether_a_domain_is_read_is_known_before_anything_is_called(name: str) -> None:
    with_all = {"read": {domain: {} for domain in ("items", "balances", "production_orders")}}

    assert why_not_read(name, {}, "no-such-domain")
    assert (why_not_read(name, with_all, "production_orders") is None) == (name != "file")
    assert bool(why_not_read(name, {}, "production_orders")) == (name != "tryton")


def test_a_missing_secret_names_its_variable_and_is_a_pause() -> None:
    target = Target("wms", "WMS", "http_json", "wms", url="http://127.0.0.1:9", secret="wms.north-1")

    with pytest.raises(SecretMissing, match="LINESIDE_SECRET_WMS_NORTH_1") as raised:
        build_adapter(target, load_settings({}))

    assert isinstance(raised.value, TargetPaused)
    assert missing_secrets([target], load_settings({})) == [("wms", "LINESIDE_SECRET_WMS_NORTH_1")]


def test_an_adapter_is_built_with_the_secret_of_the_environment() -> None:
    target = load_topology(None).targets["wms"]

    built = build_adapter(target, load_settings({"LINESIDE_SECRET_WMS": "a-key"}))

    assert isinstance(built, HttpJsonAdapter)


def test_a_drop_folder_lies_under_the_home(tmp_path: Path) -> None:
    target = load_topology(None).targets["legacy-erp"]

    build_adapter(target, load_settings({"LINESIDE_HOME": str(tmp_path)})).post(request())

    assert len(list((tmp_path / "outbox" / "legacy-erp").glob("*.csv"))) == 1


@pytest.mark.parametrize(
    ("adapter", "change", "path", "mend"),
    [
        ("http_json", {"pst": {}}, "pst", "did you mean post?"),
        ("http_json", {"post": {"path": "documents"}}, "post.path", "write /documents"),
        ("http_json", {"find": {"path": "/d/{postingkey}"}}, "find.path", "did you mean posting_key?"),
        ("http_json", {"find": {"path": "/d/{posting_key"}}, "find.path", "write {{"),
        ("http_json", {"find": {"path": "/d", "absent_status": []}}, "find.absent_status", "absent_when_empty"),
        ("http_json", {"auth": {"scheme": "api_key"}}, "auth.header", "header: X-Api-Key"),
        ("http_json", {"auth": {"scheme": "basic"}}, "auth.user", "name the user"),
        ("http_json", {"transient_status": [99]}, "transient_status.0", "from 100 to 599"),
        ("http_json", {"read": {"item": {"path": "/i"}}}, "read.item", "did you mean items?"),
        ("file", {"name": "out.csv"}, "name", "put {posting_key} into it"),
        ("file", {"name": "../{posting_key}"}, "name", "without folders"),
        ("file", {"layout": [["a", 1, 1]]}, "layout", "remove it"),
        ("file", {"format": "fixed_width"}, "layout", "[name, first column, width]"),
        ("file", {"directory": "relative"}, "directory", "absolute path"),
        ("file", {"error_suffix": "err"}, "error_suffix", "an ending such as .err"),
        ("file", {"error_suffix": ".ack"}, "error_suffix", "endings of their own"),
    ],
)
def test_an_option_that_an_adapter_does_not_take_is_named_with_its_mend(
    adapter: str, change: dict[str, Any], path: str, mend: str
) -> None:
    targets = load_topology(None).targets
    good = targets["wms" if adapter == "http_json" else "legacy-erp"].options

    faults = option_faults(adapter, {**good, **change})

    assert [fault for fault in faults if fault.dotted == path and mend in fault.mend], faults


def test_the_names_of_the_adapters_and_their_options_are_checked_with_the_topology(tmp_path: Path) -> None:
    names = known_names()

    assert names.adapters == ADAPTERS.keys()
    assert names.options.adapter("file", {})


def test_a_slow_target_is_bounded_and_a_rate_limit_says_when(tmp_path: Path) -> None:
    double = PracticeDouble("wms", tmp_path, "a-key").start()
    options = load_topology(None).targets["wms"].options
    adapter = HttpJsonAdapter(TargetSettings("wms", double.url, 0.4, options, "a-key"))
    try:
        double.misbehave(next=1, drip_seconds=0.1)
        with pytest.raises(OutcomeUnknown):
            adapter.post(request())

        double.misbehave(next=1, status=429, retry_after="7")
        with pytest.raises(LinesideError) as raised:
            adapter.post(request())
        assert isinstance(raised.value, Transient)
        assert raised.value.after_seconds == 7
    finally:
        double.stop()


def test_a_restarted_target_is_called_on_a_fresh_connection(tmp_path: Path) -> None:
    double = PracticeDouble("wms", tmp_path, "a-key").start()
    options = load_topology(None).targets["wms"].options
    adapter = HttpJsonAdapter(TargetSettings("wms", double.url, 2.0, options, "a-key"))
    posting = request()
    first = adapter.post(posting)
    double.stop()

    restarted = PracticeDouble("wms", tmp_path, "a-key", port=int(double.url.rsplit(":", 1)[1])).start()
    try:
        assert adapter.post(posting).reference == first.reference
    finally:
        restarted.stop()
