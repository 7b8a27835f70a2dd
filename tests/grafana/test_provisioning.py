"""What Grafana reads at its start points to what is shipped."""

from pathlib import Path

import yaml

from grafana.__main__ import HOME

PROVISIONING = HOME.parent / "provisioning"


def test_the_data_source_is_a_prometheus_with_a_fixed_uid() -> None:
    (source,) = yaml.safe_load(PROVISIONING.joinpath("datasources/prometheus.yaml").read_text("utf-8"))[
        "datasources"
    ]
    assert (source["type"], source["uid"], source["isDefault"]) == ("prometheus", "prometheus", True)


def test_a_folder_for_each_language() -> None:
    document = yaml.safe_load(PROVISIONING.joinpath("dashboards/wechat-miniprogram.yaml").read_text("utf-8"))
    paths = [Path(provider["options"]["path"]) for provider in document["providers"]]
    assert {path.name for path in paths} == {path.name for path in HOME.iterdir()}
    assert len({provider["name"] for provider in document["providers"]}) == len(paths)
