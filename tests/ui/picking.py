"""Picking a model as a person does."""

from playwright.sync_api import Page


def choose(page: Page, model: str) -> None:
    """By the name of the model, in the list that the picker opens."""
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("listbox", name="Models").get_by_role("option", name=model).click()
