"""An operator's own --tls-cert and --tls-key are checked before they are served with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from master.tls import Certificates, Names, check_pair, ensure_certificates

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
NAMES = Names(frozenset({"localhost"}), frozenset())


@pytest.fixture
def pair(tmp_path: Path) -> Certificates:
    return ensure_certificates(tmp_path, NAMES, NOW)


def test_a_good_pair_passes(pair: Certificates) -> None:
    check_pair(pair.chain, pair.key, NOW)


def test_a_missing_file_is_named(pair: Certificates) -> None:
    with pytest.raises(ValueError, match="--tls-key /nowhere cannot be read: No such file"):
        check_pair(pair.chain, Path("/nowhere"), NOW)


def test_a_certificate_that_is_none_is_named(pair: Certificates) -> None:
    with pytest.raises(ValueError, match=r"--tls-cert .* holds no certificate in PEM form"):
        check_pair(pair.key, pair.key, NOW)


def test_a_key_that_is_none_is_named(pair: Certificates) -> None:
    with pytest.raises(ValueError, match=r"--tls-key .* holds no private key in PEM form"):
        check_pair(pair.chain, pair.chain, NOW)


def test_a_key_of_another_certificate_is_refused(pair: Certificates) -> None:
    with pytest.raises(ValueError, match="does not belong to the first certificate"):
        check_pair(pair.chain, pair.ca.with_name("ca-key.pem"), NOW)


def test_an_expired_certificate_is_refused(pair: Certificates) -> None:
    with pytest.raises(ValueError, match="expired on 2031-07-03; renew it"):
        check_pair(pair.chain, pair.key, NOW + timedelta(days=400))
