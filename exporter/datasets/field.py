"""One figure of a dataset: its names, its unit, its meaning, and whether values add up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One figure.

    `name` is WeChat's own; `metric` the metric's last part, usually the name and the unit; `not_over` names
    what values must not be added up over, empty where sums are right; `english` is a short heading; `label`
    is the one of the dataset's labels that it has, empty where it has all.
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
        """The name as the cloud call writes it."""
        return camel(self.name)

    @property
    def additive(self) -> bool:
        """Whether values of several periods, keys or apps may be summed."""
        return not self.not_over

    @property
    def help(self) -> str:
        """The HELP text: Chinese term, meaning, unit, and whether values add up."""
        warning = f" Do not add up over {self.not_over}." if self.not_over else ""
        return f"{self.name} {self.chinese}: {self.meaning}.{warning}"


def camel(name: str) -> str:
    """Return a key of HTTPS bodies as the cloud call spells it: `item_list` becomes `itemList`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
