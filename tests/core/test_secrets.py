"""A secret can be used and compared, and is not seen."""

from __future__ import annotations

import pickle

from stillroom.core.secrets import Secret


def test_a_secret_is_hidden_however_it_is_printed() -> None:
    """S03."""
    secret = Secret("geheim")

    assert "geheim" not in f"{secret} {secret!r} {[secret]} {secret!s:>10}"
    assert secret.reveal() == "geheim"


def test_secrets_compare_by_what_they_hide() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_a_secret_reaches_another_process() -> None:
    assert pickle.loads(pickle.dumps(Secret("a"))) == Secret("a")
