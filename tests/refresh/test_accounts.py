import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.settings import App, Discovery, ThirdParty
from exporter.refresh import accounts
from exporter.refresh.accounts import NAME_SECONDS, Account, Roll

ONE, TWO, THREE = "wx0000000000000001", "wx0000000000000002", "wx1000000000000003"
NOW = 1_795_500_000.0


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        ((), (), [ONE, TWO, THREE]),
        ((ONE,), (), [ONE]),
        (("wx0*",), (), [ONE, TWO]),
        (("WX0*",), (ONE.upper(),), [TWO]),
        ((), ("wx?000*",), []),
        ((), ("wx*[1-2]",), [THREE]),
        ((ONE, THREE), (ONE,), [THREE]),
    ],
)
def test_exclude_is_stronger_than_include_and_nothing_included_means_all(
    include: tuple[str, ...], exclude: tuple[str, ...], left: list[str]
) -> None:
    assert accounts.wanted([ONE, TWO, THREE], Discovery(3600, include, exclude)) == left


def test_a_new_list_keeps_what_is_known_and_forgets_who_is_gone() -> None:
    known = {ONE: Account("one", NOW), TWO: Account("two", NOW)}
    assert accounts.listed([THREE, ONE], known) == {THREE: Account(), ONE: Account("one", NOW)}


def test_names_are_asked_for_once_a_day_the_unknown_ones_first() -> None:
    known = {
        ONE: Account("one", NOW - NAME_SECONDS),
        TWO: Account("two", NOW - NAME_SECONDS + 1),
        THREE: Account(),
    }
    assert accounts.unnamed(known, NOW) == [THREE, ONE]


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ({"nick_name": "奶茶小铺"}, "奶茶小铺"),
        ({"nick_name": " tea\n\x00 house\ud800 "}, "tea house"),
        ({"nick_name": "x" * 300}, "x" * 200),
        ({"nick_name": ""}, ""),
        ({"nick_name": None}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_name_is_one_that_can_be_shown(info: object, name: str) -> None:
    assert accounts.name_in({"authorizer_info": info}) == name


def test_an_account_becomes_an_app_that_has_its_appid_for_a_name_until_there_is_one() -> None:
    assert accounts.app_of(ONE, Account(), "main") == App(ONE, ONE, (), ThirdParty("main"))
    assert accounts.app_of(ONE, Account("one"), "main").name == "one"


MOMENTS = st.floats(0, 1e10)


@given(
    st.builds(
        Roll,
        st.dictionaries(st.text(), st.builds(Account, st.text(), MOMENTS)),
        MOMENTS,
        MOMENTS,
        st.integers(0, 9),
    )
)
def test_accounts_are_read_as_they_were_written(roll: Roll) -> None:
    assert accounts.read(accounts.written(roll)) == roll


def test_accounts_that_the_first_versions_stored_are_read_too() -> None:
    assert accounts.read('{"wx0123456789abcdef": ["one", 5]}') == Roll(
        {"wx0123456789abcdef": Account("one", 5.0)}
    )


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "[]", "{", '{"wx": 1}', '{"wx": ["name", "x"]}'),
        *('{"accounts": {}}', '{"accounts": {}, "listed_at": null}', '{"accounts": 5, "listed_at": 1}'),
    ],
)
def test_what_cannot_be_understood_is_nothing(text: str | None) -> None:
    assert accounts.read(text) is None
