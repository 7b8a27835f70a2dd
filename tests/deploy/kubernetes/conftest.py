"""The overlays, each rendered once by kubectl."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.deploy.kubernetes.manifests import KUBERNETES, OVERLAYS, Objects, render


@pytest.fixture(scope="session")
def rendered(program: Callable[[str], str]) -> Callable[[str], Objects]:
    @cache
    def of(overlay: str) -> Objects:
        return render(program("kubectl"), KUBERNETES / "overlays" / overlay)

    return of


@pytest.fixture(params=OVERLAYS)
def objects(request: pytest.FixtureRequest, rendered: Callable[[str], Objects]) -> Objects:
    """Return the objects of an overlay, for each in turn."""
    return rendered(request.param)
