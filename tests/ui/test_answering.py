"""Who answers and how, as a person sets it: the picker among hundreds of models, the drawer of parameters, presets."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serving import QUIET, Served, served
from tests.ui.axe import Axe
from tests.ui.picking import choose
from tests.ui.recorder import Recorder, recorder
from tests.ui.test_chat_page import answers, ask, expect_state, visit

MODELS: list[dict[str, Any]] = [{"id": f"maker/model-{number:03}", "context_length": 8192} for number in range(300)]
MODELS[137] |= {"architecture": {"input_modalities": ["text", "image"]}, "supported_parameters": ["tools"], "context_length": 1_048_576}


class Place:
    """A Headrace, its model server, and a page on it. It can be started anew with what it kept."""

    def __init__(self, page: Page, server: Served, models: Recorder, settings: str, folder: Path) -> None:
        self.page, self.server, self.models, self.settings, self.folder = page, server, models, settings, folder


@pytest.fixture
def place(browser: Browser, tmp_path: Path) -> Iterator[Place]:
    with recorder(MODELS) as models:
        price = '{ model = "cloud/*-007", input = 1.0, output = 5.0, currency = "EUR" }'
        settings = f"{QUIET}\n[chat]\nprobe = 10.0\nprices = [{price}]\n"
        settings += f'\n[[upstreams]]\nname = "cloud"\ndialect = "openai_chat"\nbase_url = "{models.url}"\n'
        settings += '\n[[upstreams]]\nname = "absent"\ndialect = "anthropic"\nbase_url = "http://127.0.0.1:9"\nmodels = ["opus"]\n'
        with served(tmp_path, settings) as server:
            context = browser.new_context(viewport={"width": 1200, "height": 800})
            page = context.new_page()
            faults: list[str] = []
            page.on("pageerror", lambda error: faults.append(str(error)))
            visit(page, server.url)
            yield Place(page, server, models, settings, tmp_path)
            context.close()
            assert faults == []


def test_a_model_among_hundreds_is_found_and_picked_by_keyboard(place: Place, axe: Axe) -> None:
    page, picker = place.page, place.page.get_by_role("combobox", name="Model")
    picker.focus()
    page.keyboard.press("ArrowDown")
    search = page.get_by_role("combobox", name="Search")
    expect(search).to_be_focused()
    expect(page.get_by_role("group", name="cloud, running").get_by_role("option")).to_have_count(300)
    axe(page)
    page.keyboard.press("End")
    expect(page.get_by_role("option", name="scenes")).to_be_in_viewport()
    page.keyboard.press("Home")
    page.keyboard.type("model-13 cloud")
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options).to_have_count(10)
    page.keyboard.type(" 137")
    expect(options).to_have_count(1)
    expect(options).to_have_accessible_name(re.compile(r"maker/model-137 ?, cloud, sees images, calls tools, ?1\.05M"))
    page.keyboard.press("Escape")
    expect(picker).to_be_focused()
    page.keyboard.type("299")  # a letter on the closed picker begins the search
    expect(search).to_have_value("299")
    page.keyboard.press("Enter")
    expect(search).to_have_count(0)
    expect(picker).to_contain_text("maker/model-299")
    expect_state(answer := ask(page, "Hello"), "finished")
    expect(answer).to_contain_text("maker/model-299 has answered.")
    picker.click()
    expect(page.get_by_role("group", name="Used last").get_by_role("option")).to_contain_text("maker/model-299")


def test_what_is_set_arrives_at_the_model_and_outlives_a_reload(place: Place, axe: Axe) -> None:
    page = place.page
    choose(page, "model-007")
    page.get_by_role("button", name="Parameters", exact=True).click()
    axe(page)
    page.get_by_label("System prompt").fill("Be terse.")
    page.get_by_label("Temperature").fill("7")
    page.get_by_label("Top P").fill("0,5")
    page.get_by_label("Stop at").fill("END\n\\n\\n")
    page.get_by_label("Seed").focus()
    expect(page.get_by_text("Temperature is a number from 0 to 2.")).to_be_visible()
    expect(page.get_by_label("Temperature")).to_have_value("7")
    page.get_by_label("Temperature").fill("0.3")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Reasoning effort").and_(page.locator(".hr-effort select")).select_option("Low")
    answer = ask(page, "Hello")
    expect_state(answer, "finished")
    expect(answer.locator(".hr-figures")).to_contain_text("2,000 tokens sent · 1,000 tokens")
    expect(answer.locator(".hr-figures")).to_contain_text("ended by itself · 0.0070 EUR")
    sent = place.models.asked[-1]
    assert sent["messages"] == [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Hello"}]
    assert (sent["temperature"], sent["top_p"], sent["stop"], sent["reasoning_effort"]) == (0.3, 0.5, ["END", "\n\n"], "low")

    page.reload()
    page.wait_for_function("window.did_handshake === true")
    page.get_by_role("button", name="Parameters", exact=True).click()
    expect(page.get_by_label("System prompt")).to_have_value("Be terse.")
    page.get_by_role("button", name="Reset all parameters").click()
    expect(page.get_by_label("Temperature")).to_have_value("")
    page.get_by_role("button", name="Close", exact=True).click()
    expect_state(ask(page, "And now?"), "finished")
    assert [message["role"] for message in place.models.asked[-1]["messages"]] == ["user", "assistant", "user"]
    assert "temperature" not in place.models.asked[-1]


def test_what_a_server_cannot_take_is_said_before_it_is_asked(place: Place) -> None:
    page = place.page
    choose(page, "opus")
    page.get_by_role("button", name="Parameters", exact=True).click()
    expect(page.get_by_label("Seed")).to_be_disabled()
    expect(page.get_by_label("Seed")).to_have_accessible_description("The server of this model cannot take this.")
    expect(page.get_by_label("Temperature")).to_be_enabled()
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.get_by_role("listbox", name="Models").get_by_role("option", name="echo").click()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Parameters", exact=True).click()
    expect(page.get_by_label("Seed")).to_be_enabled()  # the other one can
    expect(page.get_by_label("Seed")).to_have_accessible_description(re.compile("Not taken by the server of .*/opus."))


LEFT_AT_ONCE = """([system, temperature]) => {
    for (const [name, text] of [["System prompt", system], ["Temperature", temperature]]) {
        const box = [...document.querySelectorAll(".hr-knob label")].find((label) => label.textContent === name).control;
        box.value = text;
        box.dispatchEvent(new Event("change", { bubbles: true }));
    }
}"""  # before the server can have answered the first


def test_two_fields_left_one_after_the_other_are_both_kept(place: Place) -> None:
    page = place.page
    choose(page, "model-007")
    expect_state(ask(page, "Hello"), "finished")
    page.get_by_role("button", name="Parameters", exact=True).click()
    page.evaluate(LEFT_AT_ONCE, ["Be terse.", "7"])
    expect(page.get_by_text("Temperature is a number from 0 to 2.")).to_be_visible()
    page.evaluate(LEFT_AT_ONCE, ["Be very terse.", "0.3"])
    expect(page.get_by_text("Temperature is a number from 0 to 2.")).to_have_count(0)
    page.keyboard.press("Escape")
    expect_state(ask(page, "Again"), "finished")
    expect(answers(page)).to_have_count(2)
    sent = place.models.asked[-1]
    assert (sent["messages"][0], sent["temperature"]) == ({"role": "system", "content": "Be very terse."}, 0.3)


def test_what_was_pressed_is_picked_though_the_list_has_moved(place: Place) -> None:
    page = place.page
    page.get_by_role("combobox", name="Model").click()
    option = page.get_by_role("option", name=re.compile("maker.model-003 "))
    option.hover()
    page.mouse.down()
    page.get_by_role("listbox", name="Models").evaluate(
        "(list) => list.prepend(Object.assign(document.createElement('p'), { textContent: 'More' }))"
    )
    page.mouse.up()
    expect(page.get_by_role("combobox", name="Model")).to_contain_text("maker/model-003")
    expect(page.get_by_role("listbox", name="Models")).to_have_count(0)


def test_a_preset_is_saved_used_in_another_tab_and_after_a_restart(place: Place, browser: Browser) -> None:
    page = place.page
    choose(page, "model-042")
    page.get_by_role("button", name="Parameters", exact=True).click()
    page.get_by_role("textbox", name="Name of the preset").fill("Pirate")
    page.get_by_label("System prompt").fill("You are a pirate.")
    page.get_by_label("Seed").focus()
    page.get_by_role("button", name="Save as preset").click()
    page.get_by_role("button", name="Set as default for new chats").click()
    expect(page.get_by_role("button", name="No longer the default for new chats")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name="Model")).to_contain_text("Pirate")

    place.server.terminate()
    with served(place.folder, place.settings) as again:
        visit(page, again.url)
        expect(page.get_by_role("combobox", name="Model")).to_contain_text("Pirate")
        expect_state(ask(page, "Hello"), "finished")
        assert place.models.asked[-1]["messages"][0] == {"role": "system", "content": "You are a pirate."}
        assert place.models.asked[-1]["model"] == "maker/model-042"

        other = browser.new_page()
        visit(other, again.url)
        choose(other, "guide")
        expect(other.get_by_role("button", name="Parameters", exact=True)).not_to_contain_class("hr-set")
        other.get_by_role("button", name="Pirate").click()
        expect(other.get_by_role("combobox", name="Model")).to_contain_text("Pirate")
        page.get_by_role("button", name="Parameters", exact=True).click()
        page.get_by_role("textbox", name="Name of the preset").fill("Captain")
        page.get_by_role("button", name="Rename preset").click()
        expect(other.get_by_role("button", name="Captain")).to_be_visible()
        page.get_by_role("button", name="Delete preset").click()
        expect(other.get_by_role("button", name="Captain")).to_have_count(0)
        other.close()


def test_the_default_model_is_the_one_that_a_person_has_set(place: Place) -> None:
    page = place.page
    choose(page, "echo")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("button", name="Set as default").click()
    expect(page.get_by_role("option", name=re.compile("echo ?, rehearsal, ?default"))).to_be_visible()
    page.keyboard.press("Escape")
    visit(page, place.server.url)
    expect(page.get_by_role("combobox", name="Model")).to_contain_text("echo")
    expect(page.get_by_text("rehearsal/echo will answer")).to_be_visible()
    assert answers(page).count() == 0
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("button", name="No longer the default").click()
    expect(page.get_by_role("button", name="No longer the default")).to_have_count(0)
    page.keyboard.press("Escape")
    visit(page, place.server.url)
    expect(page.get_by_role("combobox", name="Model")).not_to_contain_text("echo")
