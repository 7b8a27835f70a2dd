"""Whole files: the good ones give these settings, the bad ones exactly the errors in their first lines."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.config import ConfigError, load, platforms, yaml_events
from exporter.config.apps import App
from exporter.config.datasets import DATASETS, DatasetSettings
from exporter.config.platforms import Discovery, Platform, TicketCallback, TicketFile, TicketHttp
from exporter.config.secret import Secret
from exporter.config.settings import Config, RefreshSettings, WechatSettings
from exporter.config.storage import RedisSettings, StorageSettings
from exporter.config.token_types import (
    ClassicToken,
    CloudFunction,
    CloudHosting,
    FileToken,
    HttpToken,
    StableToken,
    ThirdParty,
)
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.quota import QUOTA

HERE = Path(__file__).parent
GOOD = HERE / "good"
BAD = HERE / "bad"
BAD_FILES = sorted(path.name for path in BAD.glob("*.yaml"))

GOOD_ENVIRONMENT = {
    "CONCURRENCY": "32",
    "RATE": "2.5",
    "MINUTES": "5",
    "SHOP": "tea ${CONCURRENCY}: [house]",
    "APP_SECRET": "{sesame: $$}",
    "TOKEN_TYPE": "file",
    "YES": "true",
}
BAD_ENVIRONMENT = {"NOT_A_NUMBER": "sesame", "BROKEN_BYTES": "\udcff", "AN_APPID": "sesame"}


def good(name: str) -> Config:
    return load(GOOD / name, GOOD_ENVIRONMENT)


def test_several_apps_may_have_their_tokens_from_one_place_if_each_has_a_way_of_its_own() -> None:
    assert len(good("tokens-apart.yaml").apps) == 9


def problems(path: Path, content: str | bytes) -> tuple[str, ...]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    return caught.value.problems


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("config.yaml")


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_gives_the_errors_that_it_announces(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    text = Path(name).read_bytes().decode(errors="replace")
    announced = [line.removeprefix("# error: ") for line in text.splitlines() if line.startswith("# error: ")]

    with pytest.raises(ConfigError) as caught:
        load(Path(name), BAD_ENVIRONMENT)

    assert list(caught.value.problems) == announced
    assert str(caught.value) == "\n".join(announced)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@pytest.mark.parametrize("name", BAD_FILES)
def test_no_parser_lets_a_secret_into_an_error(
    name: str, loader: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(BAD)
    monkeypatch.setattr(yaml_events, "LOADER", loader)

    with pytest.raises(ConfigError) as caught:
        load(Path(name), BAD_ENVIRONMENT)

    assert "sesame" not in str(caught.value)
    assert "5253763" not in str(caught.value)
    assert "5e5a3e" not in str(caught.value)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@pytest.mark.parametrize("name", sorted(path.name for path in GOOD.glob("*.yaml")))
def test_a_good_file_loads_alike_with_every_parser(
    name: str, loader: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_events, "LOADER", loader)

    assert good(name).apps[0].appid.lower() == "wx0123456789abcdef"


def test_two_lines_of_apps_are_enough() -> None:
    assert good("defaults.yaml") == Config(
        path=GOOD / "defaults.yaml",
        wechat=WechatSettings("https://api.weixin.qq.com", 10.0),
        refresh=RefreshSettings(3600.0, 9, 3, 16, 50.0),
        storage=StorageSettings(f"sqlite:///{GOOD}/data/exporter.db"),
        apps=(App("wx0123456789abcdef", "wx0123456789abcdef", (), StableToken(Secret("sesame"))),),
    )


def test_a_private_ca_arrives_as_its_certificates_alone() -> None:
    wechat = good("ca-file.yaml").wechat

    assert wechat.private_ca.startswith("-----BEGIN CERTIFICATE-----\n")
    assert wechat.private_ca.endswith("\n-----END CERTIFICATE-----")
    assert "CERTIFICATE" not in repr(wechat)


def test_every_setting_arrives_with_its_unit_and_its_path_resolved() -> None:
    config = good("everything.yaml")

    assert config.wechat == WechatSettings("http://127.0.0.1:8080/wechat", 0.5)
    assert config.refresh == RefreshSettings(5400.0, 1, 0, 1024, 0.5)
    assert config.storage == StorageSettings(f"sqlite:///{GOOD}/rows/exporter.db")
    assert config.apps[0] == App(
        "wx0123456789abcdef",
        "coffee-shop",
        (("city", "上海"), ("no", "yes"), ("team", "retail")),
        StableToken(Secret(path=GOOD / "secrets/coffee-shop")),
    )
    assert [app.token for app in config.apps[1:]] == [
        StableToken(Secret("sesame")),
        ClassicToken(Secret(path=GOOD / "secrets/coffee-shop")),
        FileToken(GOOD / "run/tea.token"),
        FileToken(Path("/run/wechat/tea.json"), "token"),
        HttpToken("https://tokens.example/wx5123456789abcdef?for=wx5123456789abcdef"),
        HttpToken(
            "https://[::1]:8443/token", "token", (("Authorization", "Bearer sesame"), ("X-Team", "retail"))
        ),
    ]


def test_datasets_arrive_with_their_settings_and_each_app_with_its_choice() -> None:
    config = good("datasets.yaml")

    assert config.datasets == (
        DatasetSettings("weekly_trend", history=5),
        DatasetSettings("monthly_trend", history=0),
        DatasetSettings("daily_summary", history=9),
        DatasetSettings("daily_retention", days=(1, 7, 30)),
        DatasetSettings("visit_distribution"),
        DatasetSettings("visit_pages", top=20, allow=("pages/pay/*",)),
        DatasetSettings("quota", interval=1800.0),
    )
    assert [app.datasets for app in config.apps] == [("monthly_trend", "weekly_trend"), (), None]
    assert [config.datasets_of(app) for app in config.apps] == [config.datasets[:2], (), config.datasets]


@pytest.mark.parametrize(("days", "history"), [(1, 0), (2, 2), (30, 30)])
def test_the_summary_is_shown_for_as_many_dates_as_the_daily_trend(
    file: Path, days: int, history: int
) -> None:
    file.write_text(
        f"refresh: {{history_days: {days}}}\ndatasets: {{daily_summary: }}\n"
        "apps: [{appid: wx0123456789abcdef, secret: a}]"
    )

    assert load(file, {}).datasets == (DatasetSettings("daily_summary", history=history),)


def test_each_dataset_of_the_catalogue_can_be_switched_on() -> None:
    assert {"daily_trend", *DATASETS.keys} == {*BY_NAME, QUOTA}


def test_platforms_and_cloud_calls_arrive_with_their_paths_resolved() -> None:
    config = good("platforms.yaml")

    shop = Secret(path=GOOD / "secrets/coffee-shop")
    assert [app.token for app in config.apps] == [
        ThirdParty("main"),
        ThirdParty("other.one", shop),
        CloudHosting(),
        CloudHosting("wx3123456789abcdef"),
        CloudHosting(None, Path("/.tencentcloudbase/wx/cloudbase_access_token")),
        CloudFunction("prod-1", "visitTrend", shop),
    ]
    assert config.platforms == (
        Platform("main", "wxabcdefabcdefabcd", shop, TicketFile(GOOD / "run/ticket"), Discovery(3600.0)),
        Platform(
            "other.one",
            "wxabcdefabcdefabce",
            Secret("sesame"),
            TicketHttp("https://tickets.example/newest?key=1", "data.ticket", (("X-Key", "sesame"),)),
            Discovery(1800.0, ("wx0123456789abcdef", "wx1*"), ("wx1[0-4]*",)),
        ),
        Platform(
            "pushed",
            "wxabcdefabcdefabcf",
            Secret("sesame"),
            TicketCallback(Secret("sesame"), Secret("notARealEncodingAESKey000000000000000000000")),
        ),
    )


@pytest.mark.parametrize(
    ("more", "method", "body"),
    [
        ("", "GET", ()),
        (", method: POST", "POST", ()),
        (
            ", body: {app: '{appid}', bad: '{refused}'}",
            "POST",
            (("app", "wx0123456789abcdef"), ("bad", "{refused}")),
        ),
    ],
)
def test_a_token_service_is_asked_by_get_or_by_post_with_a_body(
    more: str, method: str, body: tuple[tuple[str, str], ...], file: Path
) -> None:
    file.write_text(
        f"apps: [{{appid: wx0123456789abcdef, token: {{type: http, url: 'https://tokens.example/'{more}}}}}]"
    )
    assert load(file, {}).apps[0].token == HttpToken("https://tokens.example/", method=method, body=body)


def test_apps_of_one_token_service_may_differ_by_their_bodies(file: Path) -> None:
    token = "{type: http, url: 'https://tokens.example/', body: {app: '{appid}'}}"
    appids = ("wx0123456789abcdef", "wx1123456789abcdef")
    file.write_text("apps: [" + ", ".join(f"{{appid: {appid}, token: {token}}}" for appid in appids) + "]")
    assert len(load(file, {}).apps) == 2


def test_an_appid_that_is_there_twice_is_reported_beside_other_mistakes_of_the_app(file: Path) -> None:
    first, second = problems(
        file, "apps:\n- {appid: wx0123456789abcdef, secret: a}\n- {appid: wx0123456789abcdef, name: b}\n"
    )
    assert first.startswith("config.yaml:3: apps[1]: exactly one of secret")
    assert second.endswith("'wx0123456789abcdef' is configured already (first at config.yaml:2)")


def test_a_platform_that_discovers_needs_no_app(file: Path) -> None:
    file.write_text(
        "platforms: [{name: main, component_appid: wxabcdefabcdefabcd, component_appsecret: x, "
        "verify_ticket: {file: t}, discover: true}]"
    )

    assert load(file, {}).apps == ()


def test_a_callback_without_its_extra_says_what_to_install(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platforms, "find_spec", lambda name: None if name == "defusedxml" else name)
    text = (GOOD / "platforms.yaml").read_text("utf-8").partition("  - name: pushed")[2]

    (found,) = problems(
        file, "apps: [{appid: wx0123456789abcdef, secret: x}]\nplatforms:\n  - name: pushed" + text
    )

    assert found == (
        "config.yaml:7: platforms[0].verify_ticket.callback: needs defusedxml, which is not installed: "
        "pip install '.[third-party]' in the checkout"
    )


def test_the_environment_fills_texts_and_numbers_and_is_not_read_as_yaml() -> None:
    config = good("environment.yaml")

    assert config.refresh == RefreshSettings(300.0, 9, 3, 32, 2.5)
    assert config.apps[0].name == "tea ${CONCURRENCY}: [house]-$SHOP-${SHOP}-$-$5"
    assert config.apps[0].token == StableToken(Secret("{sesame: $$}"))
    assert config.apps[1].token == FileToken(Path("/run/tea ${CONCURRENCY}: [house]"))
    assert {type(app.name) for app in config.apps} == {str}


def test_anchors_repeat_a_value_and_equal_labels_are_kept_once() -> None:
    first, second = good("anchors.yaml").apps

    assert first.token == second.token
    assert first.labels == (("team", "retail"),)
    assert second.labels is first.labels


def test_apps_files_are_read_once_each_and_never_the_main_file() -> None:
    config = good("apps-files.yaml")

    assert [app.appid[:3] for app in config.apps] == ["wx0", "wx1", "wx2"]
    assert config.apps[1].token == StableToken(Secret(path=GOOD / "secrets/coffee-shop"))


def test_texts_stay_as_they_were_written() -> None:
    (app,) = good("texts.yaml").apps

    assert app.appid == "wx0123456789ABCDEF"
    assert app.name == "1e3"
    assert dict(app.labels) == {
        "quoted": "no",
        "date": "2026-11-24",
        "empty": "",
        "equals": "=",
        "block": "two\nlines",
        "version": "1.2.3",
    }


def test_memory_needs_no_path_and_a_rate_of_zero_is_allowed() -> None:
    config = good("memory.yaml")

    assert config.storage == StorageSettings("memory://")
    assert config.refresh.requests_per_second == 0


def test_every_setting_of_a_shared_storage_arrives_with_its_paths_resolved() -> None:
    assert good("redis.yaml").storage == StorageSettings(
        "rediss+sentinel://one.example,two.example:26380/fleet/3",
        RedisSettings(
            (("one.example", 26379), ("two.example", 26380)),
            3,
            master="fleet",
            tls=True,
            user="exporter",
            ca_file=f"{GOOD}/ca.pem",
            cert_file=f"{GOOD}/ca.pem",
            key_file=f"{GOOD}/secrets/keys",
            password=Secret(path=GOOD / "secrets/redis"),
            sentinel_password=Secret(path=GOOD / "secrets/sentinels"),
            prefix="retail:wechat",
        ),
        Secret(path=GOOD / "secrets/keys"),
    )


def test_capitals_and_white_space_around_make_no_other_storage() -> None:
    assert good("redis-capitals.yaml").storage == StorageSettings(
        "rediss://cache:6380/3",
        RedisSettings(
            (("cache", 6380),),
            3,
            tls=True,
            user="exporter",
            ca_file=f"{GOOD}/ca.pem",
            password=Secret(path=GOOD / "secrets/redis"),
        ),
    )


@pytest.mark.parametrize(
    ("url", "shown", "server"),
    [
        ("redis://cache", "redis://cache", RedisSettings((("cache", 6379),))),
        ("redis://cache:6380/2", "redis://cache:6380/2", RedisSettings((("cache", 6380),), 2)),
        ("redis://[::1]:6380", "redis://[::1]:6380", RedisSettings((("::1", 6380),))),
        (
            "redis://:se%40me@cache/0",
            "redis://cache/0",
            RedisSettings((("cache", 6379),), password=Secret("se@me")),
        ),
        (
            "rediss://exp%3Aorter:sesame@cache",
            "rediss://cache",
            RedisSettings((("cache", 6379),), tls=True, user="exp:orter", password=Secret("sesame")),
        ),
        (
            "redis+sentinel://one/my%20fleet/0",
            "redis+sentinel://one/my%20fleet/0",
            RedisSettings((("one", 26379),), master="my fleet"),
        ),
    ],
)
def test_an_address_of_redis_is_taken_apart_and_kept_without_its_password(
    file: Path, url: str, shown: str, server: RedisSettings
) -> None:
    file.write_text(f"storage: {{url: {url!r}}}\napps: [{{appid: wx0123456789abcdef, secret: a}}]")

    storage = load(file, {}).storage

    assert storage == StorageSettings(shown, server)
    assert "sesame" not in repr(storage)
    assert "se@me" not in repr(storage)


def test_a_key_encrypts_a_file_of_rows_too(file: Path, tmp_path: Path) -> None:
    key = "bm90LWEtcmVhbC1rZXktbm90LWEtcmVhbC1rZXktISE="
    file.write_text(
        f"storage: {{url: sqlite:///a.db, encryption_key: {key}}}\n"
        "apps: [{appid: wx0123456789abcdef, secret: a}]"
    )

    storage = load(file, {}).storage

    assert storage == StorageSettings(f"sqlite:///{tmp_path}/a.db", None, Secret(key))
    assert key not in repr(storage)


@pytest.mark.parametrize(
    ("missing", "storage", "message"),
    [
        ("redis", "{url: redis://cache}", "storage.url: needs redis"),
        (
            "cryptography",
            "{url: sqlite:///a.db, encryption_key: bm90LWEtcmVhbC1rZXktbm90LWEtcmVhbC1rZXktISE=}",
            "storage.encryption_key: needs cryptography",
        ),
    ],
)
def test_a_missing_library_is_reported_with_how_to_install_it(
    file: Path, monkeypatch: pytest.MonkeyPatch, missing: str, storage: str, message: str
) -> None:
    monkeypatch.setattr("exporter.config.storage.find_spec", lambda name: None if name == missing else name)
    (problem,) = problems(file, f"storage: {storage}\napps: [{{appid: wx0123456789abcdef, secret: a}}]")
    assert message in problem
    assert "pip install '.[redis]' in the checkout" in problem


def test_a_relative_path_of_the_file_itself_still_gives_absolute_paths(file: Path, tmp_path: Path) -> None:
    file.write_text("apps: [{appid: wx0123456789abcdef, token: {type: file, path: x}}]")

    config = load(file, {})

    assert config.path == file
    assert config.apps[0].token == FileToken(tmp_path / "x")
    assert config.storage.url == f"sqlite:///{tmp_path}/data/exporter.db"


def test_the_same_file_gives_equal_settings_so_that_a_reload_sees_what_changed(file: Path) -> None:
    file.write_text("apps: [{appid: wx0123456789abcdef, secret: a}, {appid: wx1123456789abcdef, secret: b}]")
    before = load(file, {})
    same = load(file, {})
    file.write_text("apps: [{appid: wx0123456789abcdef, secret: a}, {appid: wx1123456789abcdef, secret: c}]")
    after = load(file, {})

    assert before == same
    assert hash(before) == hash(same)
    assert [old == new for old, new in zip(before.apps, after.apps, strict=True)] == [True, False]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\ud83c\udf6d", "\U0001f36d"),
        (r"\\\uD83C\uDF6D", "\\\U0001f36d"),
        (r"\\ud83c\\udf6d", r"\ud83c\udf6d"),
    ],
)
def test_json_may_write_a_character_as_two_escapes(written: str, read: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(f'{{"apps": [{{"appid": "wx0123456789abcdef", "name": "{written}", "secret": "a"}}]}}')

    assert load(file, {}).apps[0].name == read


def test_a_missing_file_is_a_clear_error() -> None:
    with pytest.raises(ConfigError) as caught:
        load(Path("no/such.yaml"), {})

    (problem,) = caught.value.problems
    assert problem.startswith("no/such.yaml: No such file or directory. Name yours with --config.file")


def test_a_folder_is_no_configuration_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path, {})


def test_a_file_of_apps_that_is_too_large_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_events, "LARGEST_FILE", 2 * 1024 * 1024)

    assert problems(file, b"#" * (2 * 1024 * 1024 + 1)) == ("config.yaml: larger than 2 MiB",)


def test_a_value_behind_an_alias_is_reported_where_the_alias_stands(file: Path) -> None:
    found = problems(
        file, "refresh: &r\n  interval: 1h\nwechat:\n  *r\napps: [{appid: wx0123456789abcdef, secret: x}]\n"
    )

    assert found == ("config.yaml:3: wechat.interval: unknown key (allowed: base_url, ca_file, timeout)",)


@pytest.mark.parametrize("character", ["\\0", "\\ud800"])
def test_half_characters_are_refused_by_every_parser(
    file: Path, character: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_events, "LOADER", yaml.SafeLoader)

    (found,) = problems(file, f'apps: [{{appid: wx0123456789abcdef, secret: x, name: "{character}"}}]')

    assert found == "config.yaml:1: apps[0].name: NUL and half surrogate pairs are not allowed in a text"


def test_windows_line_ends_and_a_byte_order_mark_are_fine(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfapps:\r\n- appid: wx0123456789abcdef\r\n  secret: x\r\n")

    assert len(load(file, {}).apps) == 1


KEYS = st.sampled_from(
    [
        *(
            "wechat",
            "refresh",
            "storage",
            "apps",
            "apps_files",
            "base_url",
            "timeout",
            "ca_file",
            "interval",
            "url",
        ),
        *("appid", "name", "labels", "secret", "secret_file", "token", "type", "path", "field", "headers"),
        *("concurrency", "<<", "platforms", "platform", "component_appid", "verify_ticket", "callback"),
        *("discover", "include", "env"),
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["wx0123456789abcdef", "file", "http", "access_token", "${X}", "$", "memory://", "10s", "*.yaml"]
    )
    | st.dates()
)
DATA = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
ANY = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def lines(file: Path, content: bytes) -> tuple[str, ...]:
    file.write_bytes(content)
    try:
        load(file, dict(os.environ))
    except ConfigError as error:
        return error.problems
    return ("config.yaml: fine",)


def only_config_errors(file: Path, content: bytes) -> None:
    found = lines(file, content)
    assert found
    assert all(line.startswith("config.yaml") and "\n" not in line for line in found)


@ANY
@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_raise_anything_else(file: Path, content: bytes) -> None:
    only_config_errors(file, content)


@ANY
@given(st.text(alphabet="abw:-?&*!|>'\"[]{}, \n#%@$01\t~<", max_size=80))
def test_arbitrary_yaml_like_text_never_raises_anything_else(file: Path, content: str) -> None:
    only_config_errors(file, content.encode())


@ANY
@given(st.dictionaries(KEYS, DATA, max_size=5) | st.lists(DATA))
def test_arbitrary_data_never_raises_anything_else(file: Path, data: object) -> None:
    only_config_errors(file, yaml.safe_dump(data).encode("utf-8", "surrogatepass"))
