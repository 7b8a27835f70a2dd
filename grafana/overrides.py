"""What a field or a column has of its own: colour, thresholds."""

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from grafana.colours import Steps


def override(identifier: str, value: object) -> DynamicConfigValue:
    """Return one property of a field's override."""
    return DynamicConfigValue(id_val=identifier, value=value)


def fixed(colour: str) -> DynamicConfigValue:
    """Return the property that gives a field this colour."""
    return override("color", {"mode": "fixed", "fixedColor": colour})


def own_steps(steps: Steps) -> list[DynamicConfigValue]:
    """Return the property that gives a field its own thresholds, if it has any."""
    if not steps:
        return []
    listed = [{"value": value, "color": colour} for value, colour in steps]
    return [override("thresholds", {"mode": "absolute", "steps": listed})]
