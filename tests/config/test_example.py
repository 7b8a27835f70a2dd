"""config.example.yaml: it loads as it stands, and writes out every default."""

import shutil
from dataclasses import replace
from pathlib import Path

from exporter.config import load
from exporter.config.datasets import DATASETS
from exporter.config.settings import RefreshSettings, WechatSettings
from exporter.config.storage import STORAGE
from exporter.config.token_types import ClassicToken, FileToken, HttpToken, StableToken

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def test_the_example_loads_once_its_secrets_are_there(tmp_path: Path) -> None:
    config_file = tmp_path / "config.yaml"
    shutil.copy(EXAMPLE, config_file)
    (tmp_path / "secrets").mkdir()
    for name in ("coffee-shop", "flower-stall"):
        (tmp_path / "secrets" / name).write_text("sesame\n")

    config = load(config_file, {"TOKEN_SERVICE_KEY": "sesame"})

    assert [type(app.token) for app in config.apps] == [StableToken, FileToken, HttpToken, ClassicToken]
    assert config.wechat == WechatSettings()
    assert config.refresh == RefreshSettings()
    assert config.storage.url == f"sqlite:///{tmp_path}/data/exporter.db"
    assert STORAGE.keys["url"].default == "sqlite:///data/exporter.db"


def test_the_datasets_of_the_example_are_written_out_with_their_defaults(tmp_path: Path) -> None:
    lines = EXAMPLE.read_text().splitlines()
    start = lines.index("# datasets:")
    section = [line.removeprefix("# ") for line in lines[start : lines.index("", start)]]
    config_file = tmp_path / "config.yaml"
    config_file.write_text("\n".join([*section, "apps: [{appid: wx0123456789abcdef, secret: sesame}]"]))

    written = load(config_file, {}).datasets

    names = [line.split(":")[0] for line in section[1:]]
    config_file.write_text(
        "\n".join(
            ["datasets:", *(f"{name}:" for name in names), "apps: [{appid: wx0123456789abcdef, secret: a}]"]
        )
    )
    assert [replace(each, allow=()) for each in written] == list(load(config_file, {}).datasets)
    assert [each.name for each in written] == list(DATASETS.keys)
