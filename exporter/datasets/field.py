"""A figure of a dataset: its names, unit and meaning, and whether its values add up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A figure.

    `name` is WeChat's; `metric` is the last part of the metric's name, usually name and unit; `not_over`
    names the dimensions over which sums are wrong, empty if sums are right; `english` is a short heading;
    `label` is the only one of the dataset's labels that applies, empty if all apply.
    """

    name: str
    chinese: str
    english: str
    meaning: str
    metric: str = ""
    unit: str = ""
    integral: bool = True
    not_over: str = ""
    label: str = ""

    def __post_init__(self) -> None:
        if not self.metric:
            object.__setattr__(self, "metric", f"{self.name}_{self.unit}" if self.unit else self.name)

    @property
    def camel(self) -> str:
        """Return the name in the cloud call's spelling."""
        return camel(self.name)

    @property
    def additive(self) -> bool:
        """Return whether values of several periods, keys or apps add up."""
        return not self.not_over

    @property
    def help(self) -> str:
        """Return the HELP text: Chinese term, meaning, unit, and whether values add up."""
        warning = f" Do not add up over {self.not_over}." if self.not_over else ""
        return f"{self.name} {self.chinese}: {self.meaning}.{warning}"


def camel(name: str) -> str:
    """Return a key of HTTPS bodies in the cloud call's spelling: `item_list` becomes `itemList`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
