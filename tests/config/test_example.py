"""config.example.yaml: it loads as it stands, and writes out every default."""

import shutil
from pathlib import Path

from exporter.config import load
from exporter.config.schema import RefreshEntry, WechatEntry
from exporter.config.settings import AccessToken, FileToken, HttpToken, StableToken
from exporter.config.storage import StorageEntry
from exporter.config.tokens import Place

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def test_the_example_loads_once_its_secrets_are_there(tmp_path: Path) -> None:
    config_file = tmp_path / "config.yaml"
    shutil.copy(EXAMPLE, config_file)
    (tmp_path / "secrets").mkdir()
    for name in ("coffee-shop", "flower-stall"):
        (tmp_path / "secrets" / name).write_text("sesame\n")

    config = load(config_file, {"TOKEN_SERVICE_KEY": "sesame"})

    assert [type(app.token) for app in config.apps] == [StableToken, FileToken, HttpToken, AccessToken]
    assert config.wechat == WechatEntry().settings(Place(""))
    assert config.refresh == RefreshEntry().settings()
    assert config.storage.url == StorageEntry().url.replace("data", f"{tmp_path}/data")
