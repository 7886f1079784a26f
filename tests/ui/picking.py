"""Picking a model as a person does."""

from playwright.sync_api import Page, expect


def choose(page: Page, model: str) -> None:
    """By the name of the model, in the list that the picker opens; then it is the one that is shown."""
    picker, models = page.get_by_role("combobox", name="Model"), page.get_by_role("listbox", name="Models")
    picker.click()
    models.get_by_role("option", name=model).click()
    expect(models).to_be_hidden()
    expect(picker).to_contain_text(model)
