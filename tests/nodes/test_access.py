"""What one node knows of identities, the other one knows too."""

from __future__ import annotations

import time
from collections import Counter

import httpx

from tests.nodes.conftest import ADMIN_KEY, BURST, Nodes


def test_one_bucket_serves_the_requests_of_an_identity_to_both_nodes(http: httpx.Client) -> None:
    statuses = Counter(http.get("/query/kinds").status_code for _ in range(BURST + 20))
    assert statuses == {200: BURST, 429: 20}


def test_a_key_that_one_node_revokes_is_refused_by_the_other_within_a_second(
    nodes: Nodes,
) -> None:
    one, two = nodes.each
    key_id, key = nodes.create_key()
    with nodes.client(ADMIN_KEY, one) as admin, nodes.client(key, two) as http:
        assert http.get("/query/kinds").status_code == 200
        assert admin.delete(f"/access/keys/{key_id}").status_code == 200
        revoked_at = time.monotonic()
        while time.monotonic() < revoked_at + 1:
            http.get("/query/kinds")
        assert http.get("/query/kinds").status_code == 401
