"""The console in a real browser: log in, follow a number, requeue a dead letter, see it due again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from app.access.roles import Role
from app.business_exceptions.raising import Cause, raise_exceptions
from app.inbox.states import Move, State, move_messages
from app.store.session import Store
from tests.factories import NOON, accept, move_event
from tests.reading import posting_states, states
from tests.services import missing_service
from tests.unknown import unknown_posting
from tests.web import PASSWORD, Nudged, account_for, served, web_app

pytestmark = pytest.mark.services

ARGUMENTS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if path is None:
        missing_service("a browser (chromium)", "PATH")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        except BrowserError as error:
            missing_service(f"a browser that starts ({error})", path)
        yield started
        started.close()


@pytest.fixture
def dead(sqlite_store: Store) -> int:
    (message_id,) = accept(sqlite_store, move_event("scan-1", plant="P100"))
    with sqlite_store.writing() as session:
        move = Move(message_id, State.DEAD, reason_code="unit_unknown", reason="Item WHEEL-10 has no unit 'STK'.")
        move_messages(session, [move], NOON)
    return message_id


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def page(browser: Browser, sqlite_store: Store, tmp_path: Path, nudged: Nudged) -> Iterator[Page]:
    """A page at the log-in form. Whatever the browser complains of fails the test."""
    account_for(sqlite_store, Role.OPERATOR)
    complaints: list[str] = []
    with served(web_app(sqlite_store, tmp_path, nudged=nudged)) as address:
        context = browser.new_context(base_url=address)
        context.set_default_timeout(15_000)
        opened = context.new_page()
        opened.on("console", lambda line: complaints.append(line.text) if complains(line) else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.goto("/")
        yield opened
        context.close()
    assert complaints == []


def complains(line: ConsoleMessage) -> bool:
    """A form that comes back with its fault is told to the browser as 422; that alone is no complaint."""
    told_in_form = "status of 422" in line.text and line.location["url"].endswith("/correct")
    return line.type in ("error", "warning") and not told_in_form


def log_in(page: Page) -> None:
    page.get_by_label("Name").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Plants")).to_be_visible()


def test_a_dead_letter_is_found_by_its_number_and_requeued(
    page: Page, dead: int, sqlite_store: Store, nudged: Nudged
) -> None:
    log_in(page)

    page.get_by_role("link", name="1 dead, P100").click()
    page.get_by_role("link", name=str(dead), exact=True).click()
    expect(page.get_by_text("Item WHEEL-10 has no unit 'STK'.").first).to_be_visible()
    page.get_by_role("button", name="Requeue").click()

    expect(page.get_by_role("status")).to_have_text(f"Message {dead} is due again.")
    expect(page.get_by_role("heading", name=f"Message {dead}").locator("xpath=following-sibling::span")).to_have_text(
        "received"
    )
    assert states(sqlite_store, dead) == ["received"]
    assert nudged.plants == [("P100", 1)]


def test_a_payload_is_corrected_in_a_form_after_a_first_try_that_is_told(
    page: Page, dead: int, sqlite_store: Store
) -> None:
    log_in(page)
    page.goto(f"/messages/{dead}")

    page.get_by_role("link", name="Correct…").click()
    payload = page.get_by_label("Payload")
    received = payload.input_value()
    payload.fill(received.replace('"EA"', '""'))
    with page.expect_response(lambda answer: answer.status == 422):
        page.get_by_role("button", name="Correct and resubmit").click()
    expect(page.get_by_role("alert")).to_contain_text("/quantity/uom")
    payload.fill(payload.input_value().replace('""', '"BOX"'))
    page.get_by_role("button", name="Correct and resubmit").click()

    expect(page.get_by_role("status")).to_have_text(f"Message {dead} is corrected and due again.")
    assert states(sqlite_store, dead) == ["received"]


@pytest.mark.parametrize("width", [1280, 390])
def test_an_unknown_outcome_is_found_from_the_first_page_and_decided(
    page: Page, sqlite_store: Store, width: int
) -> None:
    posting = unknown_posting(sqlite_store)
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page)

    page.get_by_role("link", name="1 posting of unknown outcome").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name=f"Message 1, posting {posting}").click()
    form = page.get_by_role("form", name=f"Decide posting {posting}")
    expect(form).to_be_in_viewport()
    form.get_by_label("Document there").fill("4711")
    form.get_by_label("How you know").fill("seen in the ERP")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    form.get_by_role("button", name="erp holds it").click()

    expect(page.get_by_role("status")).to_have_text(f"Posting {posting} is posted; message 1 is enriched.")
    assert posting_states(sqlite_store, 1) == ["posted"]


@pytest.mark.parametrize("width", [1280, 390])
def test_what_did_not_come_is_seen_on_the_first_page_and_resolved_with_a_reason(
    page: Page, sqlite_store: Store, width: int
) -> None:
    message = "2 numbers are missing in the messages of mes for P100: 3 to 4, though 5 came."
    cause = Cause("source_silent", "silent", "messages of mes", "serious", message, "mes", "P100", "3", "4")
    with sqlite_store.writing() as session:
        raise_exceptions(session, [cause], NOON)
    page.set_viewport_size({"width": width, "height": 800})
    log_in(page)

    page.get_by_role("link", name="Look at it").click()
    expect(page.get_by_text(message)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Acknowledge business exception 1").click()
    expect(page.get_by_role("status")).to_have_text("Business exception 1 is acknowledged.")
    page.get_by_label("What became of business exception 1").fill("A test of the line.")
    page.get_by_role("button", name="Resolve business exception 1").click()

    expect(page.get_by_role("status")).to_have_text("Business exception 1 is resolved.")
    page.goto("/exceptions?state=resolved")
    expect(page.get_by_text("by operator: A test of the line.")).to_be_visible()


def test_the_console_can_be_used_by_keyboard_alone(page: Page, dead: int, sqlite_store: Store) -> None:
    log_in(page)
    page.goto(f"/messages/{dead}")

    page.get_by_role("button", name="Requeue").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("sent by mistake")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_have_text(f"Message {dead} is discarded.")
    assert states(sqlite_store, dead) == ["discarded"]


@pytest.mark.usefixtures("dead")
def test_what_waits_and_what_is_dead_is_seen_on_a_phone(page: Page) -> None:
    log_in(page)
    page.set_viewport_size({"width": 390, "height": 800})

    for label in ("Waiting", "Dead"):
        box = page.locator(f'tbody td[data-label="{label}"]').first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_console_works_without_scripts(browser: Browser, sqlite_store: Store, tmp_path: Path, dead: int) -> None:
    account_for(sqlite_store, Role.OPERATOR)
    with served(web_app(sqlite_store, tmp_path)) as address:
        context = browser.new_context(base_url=address, java_script_enabled=False)
        page = context.new_page()
        page.goto("/dead-letters")
        page.get_by_label("Name").fill("operator")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()

        page.get_by_role("button", name=f"Requeue message {dead}").click()

        expect(page.get_by_text("Nothing is dead")).to_be_visible()
        context.close()
    assert states(sqlite_store, dead) == ["received"]


def test_the_api_page_draws_every_operation_without_the_internet(page: Page) -> None:
    log_in(page)

    page.goto("/docs")

    expect(page.locator(".opblock").first).to_be_visible()
    assert page.locator(".opblock").count() >= 12
