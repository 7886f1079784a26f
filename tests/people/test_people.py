"""Who may come in, without any HTTP: what ends ends at once, what is kept survives a restart, nobody gives more than they have."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthorized
from services.people.people import People
from services.people.roll import Terms
from services.people.tokens import digest
from services.persons import ANYBODY, LOCAL, Limits, Person, Who
from services.store import open_store
from services.store.memory import MemoryStore
from services.store.store import Store

TERMS = Terms("password", "Admin")


@pytest.fixture
async def store() -> Store:
    return MemoryStore()


@pytest.fixture
async def people(store: Store) -> AsyncIterator[People]:
    made = People(store, TERMS)
    await made.load()
    yield made
    await made.close()


async def came(people: People, name: str = "Ada", *, admin: bool = False) -> tuple[Person, Who, str]:
    """Somebody, by their provider: a password takes its time. And what their cookie holds."""
    person = await people.subject(f"https://issuer.test {name}", name, admin=admin)
    _, token = await people.enter(person)
    who = await people.by_cookie(token)
    assert who is not None
    return person, who, token


async def test_what_ends_is_told_in_the_same_moment_and_proves_nothing_any_more(people: People) -> None:
    ended: list[str] = []
    people.watch(ended.append)
    person, who, cookie = await came(people)
    key, token = await people.make_key(who, "editor", ["read", "chat"], 0.0, Limits())
    by_key = await people.by_key(token)
    assert by_key == Who(person.id, frozenset({"read", "chat"}), key=key.id)
    assert people.alive(who)
    await people.remove(ANYBODY, person.id)
    assert set(ended) == {who.session, key.id}
    assert (await people.by_cookie(cookie), await people.by_key(token)) == (None, None)
    assert not people.alive(who)
    assert not people.alive(by_key)


async def test_a_restart_knows_the_same_and_nothing_that_could_be_used(people: People, store: Store) -> None:
    person, who, cookie = await came(people)
    key, token = await people.make_key(who, "editor", ["read"], 0.0, Limits(tokens=10))
    _, gone = await people.make_key(who, "gone", ["read"], 0.0, Limits())
    await people.revoke(who, digest(gone))
    people.spend(key.id, 7)
    await people.close()
    kept = b"".join([body for kind in ("person", "session", "key", "use") for body in (await store.access(kind)).values()])
    assert token.encode() not in kept
    assert cookie.encode() not in kept
    again = People(store, TERMS)
    assert await again.by_cookie(cookie) == who
    assert (await again.by_key(token) or who).person == person.id
    assert await again.by_key(gone) is None
    assert [(each.name, use.tokens) for each, use in again.keys(who)] == [("editor", 7)]
    await again.close()


async def test_a_key_that_is_revoked_while_uses_are_saved_keeps_none_from_being_saved(tmp_path: Path) -> None:
    people = People(open_store("sqlite:///people.db", tmp_path), TERMS)
    await people.load()
    _, who, _ = await came(people)
    made = [await people.make_key(who, name, ["read"], 0.0, Limits()) for name in ("one", "two", "three")]
    keys = people.counted(Who(who.person, who.scopes, key="any"))
    assert keys
    for key, _ in made:
        people.spend(key.id, 7)
    gone, kept = made[:2], made[2][0].id
    await asyncio.gather(keys.save(), *(people.revoke(who, key.id) for key, _ in gone))
    await keys.save()
    assert [(key.id, use.tokens) for key, use in people.keys(who)] == [(kept, 7)]
    await people.close()


async def test_nobody_gives_more_than_they_have(people: People) -> None:
    _, who, _ = await came(people)
    with pytest.raises(Forbidden, match="not do more"):
        await people.make_key(who, "all", ["read", "admin"], 0.0, Limits())
    _, token = await people.make_key(who, "editor", ["read", "chat"], 0.0, Limits())
    by_key = await people.by_key(token)
    assert by_key
    with pytest.raises(Forbidden, match="cannot make another"):
        await people.make_key(by_key, "another", ["read"], 0.0, Limits())
    for forbidden in (people.add(who, "Eve", "eve's password"), people.remove(who, LOCAL), people.set_admin(who, who.person, True)):
        with pytest.raises(Forbidden):
            await forbidden
    with pytest.raises(Invalid, match="cannot be removed"):
        await people.remove(ANYBODY, LOCAL)


async def test_a_key_of_an_admin_loses_with_them(people: People) -> None:
    await came(people, "First", admin=True)
    person, who, _ = await came(people, "Second", admin=True)
    _, token = await people.make_key(who, "all", ["read", "chat", "admin"], 0.0, Limits())
    assert (await people.by_key(token) or who).admin
    await people.set_admin(ANYBODY, person.id, False)
    assert (await people.by_key(token) or who).scopes == {"read", "chat"}
    assert not people.alive(who), "what was open may show what is not theirs to see any more"


async def test_somebody_elses_key_is_not_there(people: People) -> None:
    _, ada, _ = await came(people)
    _, bob, _ = await came(people, "Bob")
    key, token = await people.make_key(ada, "hers", ["read"], 0.0, Limits())
    with pytest.raises(NotFound):
        await people.revoke(bob, key.id)
    assert people.keys(bob) == []
    assert await people.by_key(token)


async def test_the_first_admin_of_a_provider_has_what_was_here_before(people: People) -> None:
    nobody, _, _ = await came(people, "Nobody")
    first, _, _ = await came(people, "First", admin=True)
    second, _, _ = await came(people, "Second", admin=True)
    assert (first.id, LOCAL in (nobody.id, second.id)) == (LOCAL, False)
    assert (await people.subject("https://issuer.test First", "First", admin=True)).id == LOCAL


async def test_an_end_is_an_end(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without a look at the clock by anybody but who asks."""
    _, who, cookie = await came(people)
    key, token = await people.make_key(who, "short", ["read"], time.time() + 100, Limits())
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 101)
    assert await people.by_key(token) is None
    assert not people.alive(Who(who.person, who.scopes, key=key.id))
    assert await people.by_cookie(cookie) == who
    monkeypatch.setattr(time, "time", lambda: now + TERMS.session + 1)
    assert await people.by_cookie(cookie) is None
    with pytest.raises(Invalid, match="expired already"):
        await people.make_key(who, "past", ["read"], now, Limits())


async def test_a_password_is_checked_and_a_new_one_ends_what_was_open(people: People) -> None:
    person = await people.add(ANYBODY, "Ada", "ada's password")
    with pytest.raises(Conflict):
        await people.add(ANYBODY, "ADA", "another password")
    session, cookie = await people.login("ada", "ada's password", "10.0.0.1")
    who = await people.by_cookie(cookie)
    assert who == Who(person.id, person.scopes, session=session.id)
    _, elsewhere = await people.login("Ada", "ada's password", "10.0.0.2")
    with pytest.raises(Invalid, match="another one"):
        await people.change_password(who, "not hers", "a new password")
    await people.change_password(who, "ada's password", "a new password")
    assert people.alive(who), "where she has changed it she stays"
    assert await people.by_cookie(elsewhere) is None
    await people.set_password(ANYBODY, person.id, "one more password")
    assert not people.alive(who)
    with pytest.raises(Unauthorized):
        await people.login("Ada", "ada's password", "10.0.0.1")


async def test_minutes_and_days_pass(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    _, who, _ = await came(people)
    key, token = await people.make_key(who, "few", ["chat"], 0.0, Limits(per_minute=2, tokens=5))
    by_key = await people.by_key(token)
    assert by_key
    keys, now = people.counted(by_key), time.time() // 86_400 * 86_400 + 3600
    assert keys
    monkeypatch.setattr(time, "time", lambda: now)
    for _ in range(2):
        keys.enter(key.id)
        keys.leave(key.id)
    with pytest.raises(TooMany) as refused:
        keys.enter(key.id)
    assert refused.value.retry_after == 60
    people.spend(key.id, 5)
    with pytest.raises(TooMany) as spent:
        people.admit(by_key, lambda _: 0)
    assert spent.value.retry_after == 86_400 - 3600
    monkeypatch.setattr(time, "time", lambda: now + 86_400)
    keys.enter(key.id)
    people.admit(by_key, lambda _: 0)


async def test_who_was_removed_stays_out_until_an_admin_lets_them_in_again(people: People, store: Store) -> None:
    person, who, cookie = await came(people)
    _, token = await people.make_key(who, "editor", ["read"], 0.0, Limits())
    await people.remove(ANYBODY, person.id)
    with pytest.raises(Unauthorized, match="Only an admin"):
        await came(people)
    again = People(store, TERMS)  # and after a restart
    with pytest.raises(Unauthorized, match="Only an admin"):
        await came(again)
    assert ([each.id for each in again.all(ANYBODY)], [each.id for each in again.removed(ANYBODY)]) == ([LOCAL], [person.id])
    with pytest.raises(Forbidden):
        await again.let_in(who, person.id)
    await again.let_in(ANYBODY, person.id)
    assert (await came(again))[0].id == person.id, "with all that is theirs"
    assert again.removed(ANYBODY) == []
    assert (await again.by_cookie(cookie), await again.by_key(token)) == (None, None), "but for what was ended"
    with pytest.raises(NotFound):
        await again.let_in(ANYBODY, person.id)
    await again.close()


async def test_who_has_a_password_may_be_forgotten_and_who_has_a_provider_leaves_a_mark(people: People) -> None:
    by_provider, _, _ = await came(people)
    with_password = await people.add(ANYBODY, "Bob", "bob's password")
    for person in (by_provider, with_password):
        await people.remove(ANYBODY, person.id)
        await people.forget(ANYBODY, person.id)
    assert [each.id for each in people.removed(ANYBODY)] == [by_provider.id]
    with pytest.raises(Unauthorized, match="Only an admin"):
        await came(people)
    other = await people.add(ANYBODY, "Cleo", "cleo's password")
    await people.remove(ANYBODY, other.id)
    await people.add(ANYBODY, "cleo", "another password")
    with pytest.raises(Conflict):
        await people.let_in(ANYBODY, other.id)
