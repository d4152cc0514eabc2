"""`ffrtmp tokens` makes, lists and revokes tokens, and a token opens a master that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from common.tokens import parse, render
from tests.masters import Master, start_master
from tests.operator.conftest import Ffrtmp


def test_it_prints_the_token_alone_and_how_to_use_it_beside(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("tokens", "create", "--ttl", "2h", "--uses", "3", "--name", "rack-7")
    assert parse(done.stdout).fingerprint
    assert len(done.stdout.splitlines()) == 1
    assert "rack-7 (join), valid until" in done.stderr
    assert "--join-token-file" in done.stderr
    assert parse(done.stdout).secret not in done.stderr


def test_for_programs_it_is_a_document(ffrtmp: Ffrtmp) -> None:
    made = ffrtmp.json("tokens", "create", "--uses", "0")
    assert (made["role"], made["uses_left"]) == ("join", None)
    parse(made["token"])


def test_they_are_listed_and_revoked_by_a_short_id(ffrtmp: Ffrtmp) -> None:
    made = ffrtmp.json("tokens", "create", "--role", "submitter", "--name", "alice")
    assert f"{made['id']}  alice" in ffrtmp("tokens", "list").stdout
    assert ffrtmp("tokens", "revoke", made["id"][:8]).stdout == f"Token {made['id']} is revoked.\n"
    (token,) = (each for each in ffrtmp.json("tokens", "list") if each["id"] == made["id"])
    assert token["status"] == "revoked"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--role", "viewer", "--uses", "2"),
        ("--role", "node"),
        ("--ttl", "soon"),
        ("--uses", "-1"),
    ],
)
def test_bad_flags_are_usage_errors(ffrtmp: Ffrtmp, arguments: tuple[str, ...]) -> None:
    assert ffrtmp("tokens", "create", *arguments).returncode == 2


def test_a_node_is_revoked(ffrtmp: Ffrtmp, master: Master) -> None:
    with master.client() as client:
        node_id = client.post("/nodes/register", json={"address": "stolen"}).json()["id"]
    assert "is turned away; it is revoked." in ffrtmp("nodes", "revoke", node_id).stdout


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    running = start_master(tmp_path_factory.mktemp("strict") / "master", auth="required")
    yield running
    running.stop()


@pytest.fixture
def text(strict: Master) -> str:
    with strict.client(strict.token) as client:
        return str(client.post("/tokens", json={"role": "viewer"}).json()["token"])


def test_a_token_opens_a_master_without_trust_at_first_use(strict: Master, text: str, tmp_path: Path) -> None:
    ffrtmp = Ffrtmp(strict.url, tmp_path)
    done = ffrtmp("nodes", "list", FFRTMP_TOKEN=text)
    assert (done.returncode, "Trusting" in done.stderr) == (0, False)
    file = tmp_path / "token"
    file.write_text(text)
    assert ffrtmp("nodes", "list", FFRTMP_TOKEN_FILE=str(file)).returncode == 0
    assert ffrtmp("--token-file", str(file), "nodes", "list").returncode == 0


def test_the_token_of_another_master_is_not_shown_to_this_one(
    strict: Master, text: str, tmp_path: Path
) -> None:
    other = render("sha256:" + "ab" * 32, parse(text).secret)
    done = Ffrtmp(strict.url, tmp_path)("nodes", "list", FFRTMP_TOKEN=other)
    assert done.returncode == 3
    assert done.stderr.startswith("Error: the token is of another master")


@pytest.mark.parametrize("cut", [20, 100])
def test_a_part_of_a_token_is_a_usage_error_that_repeats_nothing_of_it(
    strict: Master, text: str, tmp_path: Path, cut: int
) -> None:
    done = Ffrtmp(strict.url, tmp_path)("nodes", "list", FFRTMP_TOKEN=text[:cut])
    assert done.returncode == 2
    assert "a part of a token only" in done.stderr
    assert text[60:cut] not in done.stderr or cut < 60
