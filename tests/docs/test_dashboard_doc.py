"""docs/dashboard.md has every address of the pages with its roles, and no other."""

from __future__ import annotations

from common.model import Role
from master.auth import ROUTES
from tests.api.routes import is_page, routes
from tests.docs.tables import page, table


def test_every_address_is_there_with_its_roles() -> None:
    told = {row[0].strip("`"): set(row[1].split(", ")) for row in table(page("dashboard.md"), "address")}
    all_roles = set(Role)
    assert told == {
        f"{method} {path}": {"all"} if set(ROUTES[name]) == all_roles else {str(r) for r in ROUTES[name]}
        for name, (method, path) in routes().items()
        if is_page(name)
    }
