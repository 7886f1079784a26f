"""People at their pages: each sees their own, and what is over is over at once, whatever is still open."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.access import ADA, ADMIN, BOB, Guarded
from tests.ui.axe import Axe
from tests.ui.test_chat_page import ask, expect_state

LOGIN = re.compile(r"/login(\?next=.*)?$")  # with the way back, where the page finds out by itself


@contextmanager
def person(browser: Browser, access: Guarded, who: tuple[str, str], target: str = "/", *, scripts: bool = True) -> Iterator[Page]:
    """Somebody who has typed their name and password."""
    context = browser.new_context(base_url=access.url, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(target)
    page.get_by_label("Name").fill(who[0])
    page.get_by_label("Password").fill(who[1])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda address: "/login" not in address)
    yield page
    context.close()


def cookie(context: BrowserContext) -> str:
    return next(each["value"] for each in context.cookies() if each["name"] == "headrace")


def test_the_way_in(browser: Browser, access: Guarded, axe: Axe) -> None:
    """It works without scripts, and leads to where one wanted to go."""
    with person(browser, access, ADA, "/settings", scripts=False) as page:
        expect(page).to_have_url(f"{access.url}/settings")
    for scheme in ("light", "dark"):
        context = browser.new_context(base_url=access.url, color_scheme=scheme, viewport={"width": 320, "height": 600})
        page = context.new_page()
        page.goto("/login")
        expect(page.get_by_label("Name")).to_be_focused()
        axe(page)
        page.get_by_label("Name").fill("Ada")
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
        axe(page)
        context.close()


def test_everybody_sees_their_own(browser: Browser, access: Guarded) -> None:
    with person(browser, access, ADA) as ada:
        expect_state(ask(ada, "only for ada"), "finished")
        expect(ada).to_have_url(re.compile("/c/"))
        generation = ada.locator("[data-generation]").last.get_attribute("data-generation")
        with person(browser, access, BOB) as bob:
            expect(bob.get_by_role("textbox", name="Message")).to_be_visible()
            expect(bob.get_by_text("only for ada")).to_have_count(0)
            expect(bob.get_by_text("An admin can add one.")).to_be_visible()  # and not that he may, in the settings
            for place in (ada.url, f"{access.url}/inspect/{generation}"):
                bob.goto(place)
                expect(bob.get_by_text(re.compile("is not here|This reply is not there"))).to_be_visible()
                expect(bob.get_by_text("only for ada")).to_have_count(0)
            bob.goto("/settings")
            expect(bob.get_by_role("heading", name="API keys")).to_be_visible()
            expect(bob.get_by_role("heading", name="Model servers")).to_have_count(0)
            expect(bob.get_by_role("heading", name="People")).to_have_count(0)


def cookies(client: httpx.Client) -> str:
    return f"headrace={client.cookies['headrace']}"


def drained(socket: ClientConnection) -> str:
    """All that comes until nothing more does."""
    told = ""
    with suppress(TimeoutError):
        while True:
            told += str(socket.recv(0.5))
    return told


def hears(socket: ClientConnection, text: str) -> None:
    while text not in str(socket.recv(20)):
        pass


def test_another_socket_cannot_sit_at_a_page_nor_press_anything_on_it(access: Guarded) -> None:
    """Whoever knows the id of a page, which is all that the framework asks for. The last part shows that its owner can."""
    address = access.url.replace("http", "ws") + "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    with pytest.raises(InvalidStatus), connect(address):
        pass
    with ExitStack() as open_ones:
        clients = [open_ones.enter_context(access.logged_in(who)) for who in (ADA, BOB)]
        page = clients[0].get("/").text
        (id,) = re.findall(r"client_id': '([0-9a-f-]{36})'", page)
        element, listener = re.findall(r'"(\d+)":\{"tag":"textarea","class":\["hr-input"\].*?"listener_id":"([0-9a-f-]{36})"', page)[0]
        seat = json.dumps(["handshake", {"client_id": id, "tab_id": "t", "document_id": "d", "old_tab_id": None, "next_message_id": 0}])
        too_long = {"id": int(element), "client_id": id, "listener_id": listener, "args": ['{"long": 123456}']}
        press, answer = json.dumps(["event", too_long]), "123,456 characters"
        hers, his = (
            open_ones.enter_context(connect(f"{address}&client_id={id}", additional_headers={"Cookie": cookies(client)}))
            for client in clients
        )
        for socket in (hers, his):
            socket.send("40")
        drained(his)
        his.send(f"420{seat}")
        hears(his, "430[false]")
        hers.send(f"420{seat}")
        hears(hers, "430[true]")
        his.send(f"42{press}")
        assert answer not in drained(hers) + drained(his)
        (upload,) = re.findall(r'"url":"(/_nicegui/client/[^"]+)"', clients[0].get("/settings").text)
        answers = [client.post(upload, files={"file": ("a.json", b"[]")}).status_code for client in reversed(clients)]
        assert answers == [404, 200]
        hers.send(f"42{press}")
        hears(hers, answer)
        clients[0].post("/logout")
        hers.send(f"42{press}")
        assert answer not in drained(hers)


def test_a_logout_reaches_every_page_of_the_session(browser: Browser, access: Guarded) -> None:
    """And what was written there and not sent is not for who logs in next."""
    with person(browser, access, ADA) as page:
        other = page.context.new_page()
        for each in (page, other):
            each.goto("/")
            each.get_by_role("textbox", name="Message").fill("Ada's own words")
        page.get_by_role("button", name="Log out").click()
        for each in (page, other):
            expect(each).to_have_url(LOGIN)
            assert each.evaluate("JSON.stringify([localStorage, sessionStorage])").count("Ada's") == 0
        other.goto("/")
        expect(other).to_have_url(LOGIN)


def test_a_page_that_has_not_heard_of_its_end_finds_out(browser: Browser, access: Guarded) -> None:
    """Also where the browser never hears that it is over."""
    with person(browser, access, ADA) as page:
        expect(page.get_by_role("textbox", name="Message")).to_be_visible()
        page.evaluate("() => { window.socket.off('run_javascript'); }")
        httpx.post(f"{access.url}/logout", cookies={"headrace": cookie(page.context)})
        expect(page).to_have_url(LOGIN)
    with access.client("ada") as client:
        assert client.get("/chat").status_code == 200, "her keys are not her session"


def test_a_key_is_made_used_and_revoked(browser: Browser, access: Guarded, axe: Axe) -> None:
    with person(browser, access, ADA, "/settings") as page:
        page.get_by_role("button", name="Make a key…").click()
        page.get_by_role("textbox", name="Name").fill("my editor")
        axe(page)
        page.get_by_role("button", name="Make it").click()
        key = page.get_by_label("Key", exact=True).input_value()
        page.get_by_role("button", name="Done").click()
        body = {"model": "rehearsal/longform", "messages": [{"role": "user", "content": "20000 tokens at 200 tokens/s"}], "stream": True}
        told: list[str] = []
        began = threading.Event()

        def read() -> None:
            with httpx.stream("POST", f"{access.url}/v1/chat/completions", json=body, headers={"x-api-key": key}, timeout=30) as stream:
                for piece in stream.iter_text():
                    told.append(piece)
                    began.set()

        reading = threading.Thread(target=read)
        reading.start()
        assert began.wait(20)
        page.get_by_role("button", name="Revoke my editor").click()
        page.get_by_role("button", name="Revoke", exact=True).last.click()
        expect(page.get_by_role("heading", name="my editor")).to_have_count(0)
        reading.join(20)
        assert not reading.is_alive()
        assert '"revoked"' in told[-1] or "not valid any more" in "".join(told[-3:])
        assert httpx.get(f"{access.url}/models", headers={"x-api-key": key}).status_code == 401
        assert key not in page.content()


def test_only_an_admin_has_addresses_examined(browser: Browser, access: Guarded) -> None:
    for who, fields in ((BOB, 0), (ADMIN, 1)):
        with person(browser, access, who, "/lab") as page:
            expect(page.get_by_role("button", name="Measure from this browser")).to_be_visible()
            expect(page.get_by_label("Address of the proxy")).to_have_count(fields)


def test_an_admin_adds_and_removes_a_person(browser: Browser, access: Guarded, axe: Axe) -> None:
    with person(browser, access, ADMIN, "/settings") as page:
        expect(page.get_by_role("heading", name="Model servers")).to_be_visible()
        page.get_by_role("button", name="Add a person…").click()
        page.get_by_role("textbox", name="Name").fill("Cleo")
        page.get_by_role("textbox", name="Password").fill("cleo's password")
        axe(page)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("heading", name="Cleo")).to_be_visible()
        with person(browser, access, ("Cleo", "cleo's password")) as cleo:
            expect(cleo.get_by_role("textbox", name="Message")).to_be_visible()
            expect_state(ask(cleo, "Cleo's own words"), "finished")
            page.get_by_role("button", name="Remove Cleo").click()
            axe(page)
            page.get_by_role("button", name="Remove", exact=True).last.click()
            expect(page.get_by_role("listitem").filter(has_text="Cleo").get_by_text("removed")).to_be_visible()
            expect(cleo).to_have_url(f"{access.url}/login")
        page.get_by_role("button", name="Let Cleo in again").click()
        page.get_by_role("button", name="Let in", exact=True).click()
        with person(browser, access, ("Cleo", "cleo's password")) as cleo, person(browser, access, ADMIN, "/settings") as other:
            expect(other.get_by_role("heading", name="Cleo")).to_be_visible()
            expect(cleo.get_by_role("link", name="Cleo's own words").first).to_be_visible()
            page.get_by_role("button", name="Remove Cleo").click()
            page.get_by_role("checkbox", name="Delete their conversations").check()
            page.get_by_role("button", name="Remove", exact=True).last.click()
            expect(page.get_by_role("heading", name="Cleo")).to_have_count(0)
            expect(cleo).to_have_url(LOGIN)
            other.get_by_role("button", name="Make admin: Cleo").click()
            expect(other.get_by_text("There is no such person.")).to_be_visible()
            expect(other.get_by_role("heading", name="Cleo")).to_have_count(0)
