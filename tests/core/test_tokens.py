"""What a token is worth, until when, and that only its hash is kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.model import NodeStatus, Role, Token, TokenStatus
from common.problems import Problem
from common.schema import TokenSchema
from common.tokens import hash_secret, parse
from common.version import PROTOCOL
from master.lifecycle import commands
from master.service import Caller, Farm, nodes, tokens
from master.store import snapshot
from tests.core.support import OPERATOR, FakeClock, make_farm, register

CA = "sha256:" + "ab" * 32
SECRET = "s" * 43


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def farm(tmp_path: Path, clock: FakeClock) -> Farm:
    made = make_farm(tmp_path, clock)
    made.fingerprint = CA
    return made


def create(farm: Farm, **fields: Any) -> Token:
    return tokens.create(farm, OPERATOR, TokenSchema().load(fields))[0]


def joiner(token: Token) -> Caller:
    return Caller(Role.JOIN, token_id=token.id, name=token.name, protocol=PROTOCOL)


def join(farm: Farm, token: Token, node_id: str = "worker", credential: str = SECRET) -> NodeStatus:
    register(farm, caller=joiner(token), id=node_id, credential=credential)
    return nodes.get(farm, node_id).status


def now(farm: Farm, token: Token) -> Token:
    return next(each for each in tokens.all_tokens(farm) if each.id == token.id)


def test_its_text_names_the_ca_and_its_secret_is_kept_as_a_hash(farm: Farm, tmp_path: Path) -> None:
    token, text = tokens.create(farm, OPERATOR, TokenSchema().load({}))
    parts = parse(text)
    assert parts.fingerprint == CA
    assert token.secret_hash == hash_secret(parts.secret)
    farm.store.close()
    snapshot.fold(tmp_path / "journal", 1)
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [data for data in files if parts.secret.encode() in data]
    assert [data for data in files if token.secret_hash.encode() in data]


def test_one_to_join_is_good_for_one_node_and_a_day_and_others_for_90_days(farm: Farm) -> None:
    joins, views = create(farm), create(farm, role="viewer")
    assert (joins.role, joins.uses_left) == (Role.JOIN, 1)
    assert joins.expires_at - joins.created_at == timedelta(days=1)
    assert (views.uses_left, views.expires_at - views.created_at) == (None, timedelta(days=90))


def test_a_name_is_made_up_if_none_is_given_and_several_may_share_one(farm: Farm) -> None:
    assert create(farm, role="submitter").name.startswith("submitter-")
    names = [create(farm, role="submitter", name="alice").name for _ in range(2)]
    assert names == ["alice", "alice"]


@pytest.mark.parametrize("name", ["operator", "master", "anyone", "viewer", "submitter", "join", "node"])
def test_nobody_gets_the_name_of_somebody_else(farm: Farm, name: str) -> None:
    with pytest.raises(Problem, match="stands for somebody else"):
        create(farm, role="submitter", name=name)


def test_only_one_to_join_has_uses(farm: Farm) -> None:
    with pytest.raises(Problem, match="Only a join token has uses"):
        create(farm, role="viewer", uses=1)


def test_a_node_that_joins_works_at_once(farm: Farm) -> None:
    token = create(farm)
    assert join(farm, token) is NodeStatus.AVAILABLE
    assert (now(farm, token).uses_left, now(farm, token).used_at) == (0, farm.clock().wall)


def test_it_lets_in_as_many_nodes_as_it_was_made_for(farm: Farm) -> None:
    token = create(farm, uses=2)
    for number in range(2):
        join(farm, token, f"worker-{number}", f"{number:043}")
    with pytest.raises(Problem, match="as many nodes as it was made for"):
        join(farm, token, "worker-2", f"{2:043}")
    assert len(nodes.all_nodes(farm)) == 2


def test_with_any_number_of_uses_it_is_never_used_up(farm: Farm) -> None:
    token = create(farm, uses=None)
    for number in range(5):
        join(farm, token, f"worker-{number}", f"{number:043}")
    assert now(farm, token).uses_left is None


@pytest.mark.parametrize("ended", ["not", "used up", "revoked", "expired"])
def test_a_node_that_is_in_may_repeat_its_registration_whatever_the_token_is_worth_by_now(
    farm: Farm, clock: FakeClock, ended: str
) -> None:
    token = create(farm, uses=1 if ended == "used up" else 2)
    join(farm, token)
    if ended == "revoked":
        tokens.revoke(farm, OPERATOR, token.id)
    if ended == "expired":
        clock.advance(2 * 86400)
    before = now(farm, token)
    assert join(farm, token) is NodeStatus.AVAILABLE
    assert now(farm, token) == before


def test_it_takes_over_no_node_of_another_agent(farm: Farm) -> None:
    join(farm, create(farm))
    token = create(farm)
    with pytest.raises(Problem, match="another credential"):
        join(farm, token, credential="t" * 43)
    assert now(farm, token).uses_left == 1


def test_a_node_that_waits_for_approval_joins_by_it(farm: Farm) -> None:
    register(farm, caller=Caller(Role.ANYONE), id="worker", credential=SECRET)
    token = create(farm)
    assert join(farm, token) is NodeStatus.AVAILABLE
    assert now(farm, token).uses_left == 0


def test_a_node_whose_credential_has_expired_comes_back_by_it(farm: Farm, clock: FakeClock) -> None:
    join(farm, create(farm))
    clock.advance(100 * 86400)
    token = create(farm)
    join(farm, token)
    expires_at = nodes.get(farm, "worker").node.credential_expires_at
    assert expires_at == clock.now.wall + timedelta(days=90)
    assert now(farm, token).uses_left == 0


def test_a_revoked_node_does_not_come_back_by_it(farm: Farm) -> None:
    join(farm, create(farm))
    nodes.change(farm, OPERATOR, "worker", commands.Revoke())
    token = create(farm)
    with pytest.raises(Problem, match="revoked the credential"):
        join(farm, token)
    assert now(farm, token).uses_left == 1


def test_a_node_stays_when_its_token_is_revoked(farm: Farm) -> None:
    token = create(farm)
    join(farm, token)
    tokens.revoke(farm, OPERATOR, token.id)
    tokens.revoke(farm, OPERATOR, token.id)
    assert nodes.get(farm, "worker").status is NodeStatus.AVAILABLE


def test_each_end_has_its_own_sentence(farm: Farm, clock: FakeClock) -> None:
    old, revoked = create(farm), create(farm)
    tokens.revoke(farm, OPERATOR, revoked.id)
    clock.advance(86400)
    for token, sentence in ((old, "has expired"), (revoked, "was revoked by an operator")):
        with pytest.raises(Problem, match=sentence):
            join(farm, token)


@pytest.mark.parametrize("end", ["expires", "is revoked", "is used up"])
def test_one_that_has_ended_is_known_for_30_days_more(farm: Farm, clock: FakeClock, end: str) -> None:
    token = create(farm, ttl=3600)
    if end == "is revoked":
        tokens.revoke(farm, OPERATOR, token.id)
    elif end == "is used up":
        join(farm, token)
    else:
        clock.advance(3600)
    clock.advance(30 * 86400 - 1)
    tokens.forget_old(farm)
    assert now(farm, token).status(clock.now.wall) is not TokenStatus.ACTIVE
    clock.advance(1)
    tokens.forget_old(farm)
    assert tokens.all_tokens(farm) == []
    assert farm.store.token_with_secret(token.secret_hash) is None


def test_one_that_is_active_is_never_forgotten(farm: Farm, clock: FakeClock) -> None:
    token = create(farm, ttl=100 * 86400)
    clock.advance(99 * 86400)
    tokens.forget_old(farm)
    assert now(farm, token) == token


def test_all_of_it_survives_a_restart(farm: Farm, tmp_path: Path, clock: FakeClock) -> None:
    token = create(farm, uses=3)
    join(farm, token)
    tokens.revoke(farm, OPERATOR, create(farm).id)
    before = tokens.all_tokens(farm)
    farm.store.close()
    for _ in range(2):
        farm = make_farm(tmp_path, clock)
        assert tokens.all_tokens(farm) == before
        assert farm.store.token_with_secret(token.secret_hash) == before[0]
        farm.store.close()
        snapshot.fold(tmp_path / "journal", 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "node"},
        {"role": "anyone"},
        {"role": 5},
        {"name": "node:7"},
        {"name": ""},
        {"name": "a b"},
        {"name": "x" * 64},
        {"ttl": 0},
        {"ttl": "24h"},
        {"ttl": 1e12},
        {"uses": 0},
        {"uses": 1.5},
        {"uses": 10**7},
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(fields: dict[str, Any]) -> None:
    assert list(TokenSchema().validate(fields)) == list(fields)
