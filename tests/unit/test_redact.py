"""Secrets are found by the names of their variables and masked by their values."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_action.errors import SecretFound
from mlops_action.notebooks import LANGUAGES
from mlops_action.notebooks.assignments import assignments
from mlops_action.redact import MASK, Redactor, is_secret_name, strip_user_info
from mlops_action.registry import load_from


@pytest.mark.parametrize(
    "name",
    [
        *("DB_PASSWORD", "GITHUB_TOKEN", "api-key", "apiKey", "AWS_SECRET_ACCESS_KEY", "client.secret", "SENTRY_DSN"),
        *("GOOGLE_APPLICATION_CREDENTIALS", "NPM_AUTH", "AZURE_PAT", "passphrase", "dbPassword", "token"),
    ],
)
def test_names_of_secrets_are_recognised_in_every_spelling(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["PATH", "MONKEY", "TOKENIZERS_PARALLELISM", "KEYBOARD", "author", "learning_rate"])
def test_ordinary_names_hold_no_secret(name: str) -> None:
    assert not is_secret_name(name)


def test_only_secret_variables_of_the_environment_are_masked() -> None:
    redactor = Redactor.from_environment({"DB_PASSWORD": "hunter-two", "CITY": "Barcelona"})
    assert redactor.text("hunter-two lives in Barcelona") == f"{MASK} lives in Barcelona"


def test_a_value_too_short_to_be_a_secret_does_not_mask_ordinary_words() -> None:
    assert Redactor(["on", "     "]).text("turn it on") == "turn it on"


def test_the_longer_secret_is_masked_before_the_one_inside_it() -> None:
    assert Redactor(["hunter", "hunter-two"]).text("hunter-two hunter") == f"{MASK} {MASK}"


def test_each_line_of_a_secret_is_masked_where_only_lines_are_shown() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n"
    assert Redactor([key]).text("got: MIIEvQIBADANBg!") == f"got: {MASK}!"
    assert "MIIE" not in Redactor([key]).text(json.dumps([key, key.splitlines()], indent=1))


secrets = st.text(min_size=6, max_size=20).filter(lambda text: len(text.strip()) >= 6 and text.strip() == text)


@given(secrets)
def test_a_secret_is_masked_however_json_and_python_spell_it(secret: str) -> None:
    redactor = Redactor([secret])
    shown = [secret, repr(secret), json.dumps(secret), json.dumps(secret, ensure_ascii=False), json.dumps(repr(secret))]
    bare = repr(secret)[1:-1]
    for text in shown:
        masked = redactor.text(f"<{text}>")
        assert secret not in masked or secret in MASK
        assert bare not in masked


@given(secrets)
def test_text_that_was_masked_is_never_refused(secret: str) -> None:
    redactor = Redactor([secret])
    if any(value in MASK for value in redactor.values):
        return
    redactor.refuse(redactor.text(f"a{secret}b").encode(errors="replace"), "file")


def test_bytes_that_still_hold_a_secret_are_refused_without_showing_it() -> None:
    with pytest.raises(SecretFound) as caught:
        Redactor(["hunter-two"]).refuse(b'{"a": "hunter-two"}', "run.json")
    assert "run.json" in str(caught.value)
    assert "hunter" not in str(caught.value) + caught.value.hint


def test_a_secret_that_is_no_text_in_utf8_does_not_break_the_scan() -> None:
    secret = b"caf\xe9-secret".decode(errors="surrogateescape")
    with pytest.raises(SecretFound):
        Redactor([secret]).refuse(b"x caf\xe9-secret x", "run.json")


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://user:pass@host/x", "https://host/x"),
        ("see git+ssh://token@host:22/x and http://h", "see git+ssh://host:22/x and http://h"),
        ("postgresql://u:p@db", "postgresql://db"),
        ("mail to a@b.example", "mail to a@b.example"),
        ("https://host/a@b", "https://host/a@b"),
    ],
)
def test_user_information_is_removed_from_addresses(url: str, bare: str) -> None:
    assert strip_user_info(url) == bare
    assert Redactor().text(url) == bare


@pytest.mark.parametrize("text", ["x" * 3_000_000, "a://" * 500_000, "a:" * 1_000_000, "://" + "x" * 3_000_000])
def test_megabytes_of_text_are_redacted_in_bounded_time(text: str) -> None:
    begun = time.process_time()
    Redactor(["hunter-two"]).text(text)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("language", sorted(set(LANGUAGES)))
@pytest.mark.parametrize(
    "secret", ["hunter$two", "hünter-zwei", "hunter🚀two", 'hunter"two', "hunter\\two", "it's-secret"]
)
def test_a_secret_is_masked_as_the_cell_of_parameters_writes_it(language: str, secret: str) -> None:
    written = assignments(load_from(LANGUAGES, language)(), {"x": secret}, "here")
    if language in {"matlab", "octave", "powershell"} and not secret.isascii():
        return  # written as numbers of characters
    shown = Redactor([secret]).text(f"{written}\n{json.dumps(written)}")
    assert shown.count(MASK) == 2, shown
