"""What people call nodes, in tables that the API's documents give the ids for."""

from __future__ import annotations

import requests

from common.client import ApiError, MasterClient
from common.trust import TrustError
from master.operator.tables import short


class NodeNames:
    """Asks for the names when the first one is needed; a document that is printed for programs needs none."""

    def __init__(self, client: MasterClient, *, again: bool = False) -> None:
        """`again`: ask once more for each id that is not known yet, as nodes come while somebody watches."""
        self._client = client
        self._again = again
        self._known: dict[str, str] | None = None

    def __call__(self, node_id: str | None) -> str:
        """The node's name; the first part of its id if the caller may not know it, or the node is gone."""
        if node_id is None:
            return "-"
        if self._known is None or (self._again and node_id not in self._known):
            self._known = self._ask()
        return self._known.setdefault(node_id, short(node_id))

    def _ask(self) -> dict[str, str]:
        try:
            return {node["id"]: node["address"] for node in self._client.nodes()}
        except (ApiError, TrustError, OSError, requests.RequestException):
            return {}  # what was asked for is told without them
