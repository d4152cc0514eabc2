"""A node on which three different jobs fail is `quarantined`, says why, and is put back by `/resume`."""

from __future__ import annotations

from tests.api.corner import Corner, got


def test_a_node_that_fails_three_jobs_is_set_aside_until_it_is_resumed(corner: Corner) -> None:
    node = corner.register()
    for _ in range(3):
        assert corner.node(node["id"])["status"] == "available"
        corner.submit()
        corner.fail(corner.poll(node["id"])["job"], "encoder_error")
    aside = corner.node(node["id"])
    assert aside["status"] == "quarantined"
    assert aside["quarantined"].startswith("3 different jobs in a row failed on it; the last: it broke")
    job = corner.submit()
    assert corner.poll(node["id"])["job"] is None
    assert "set aside" in corner.job(job["id"])["pending_reason"]
    back = got(corner.client.post(f"/nodes/{node['id']}/resume"))
    assert (back["status"], back["quarantined"]) == ("available", None)
    assert corner.poll(node["id"])["id"] == job["id"]
