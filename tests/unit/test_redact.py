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
from mlops_action.redact import MASK, Redactor, is_secret_name, secret_arguments, strip_user_info
from mlops_action.registry import load_from


@pytest.mark.parametrize(
    "name",
    [
        *("DB_PASSWORD", "GITHUB_TOKEN", "api-key", "apiKey", "AWS_SECRET_ACCESS_KEY", "client.secret", "SENTRY_DSN"),
        *(
            "GOOGLE_APPLICATION_CREDENTIALS",
            "NPM_AUTH",
            "AZURE_PAT",
            "AZURE_STORAGE_CONNECTION_STRING",
            "passphrase",
            "dbPassword",
            "token",
        ),
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


def test_the_key_inside_a_connection_string_is_masked_by_itself_as_well() -> None:
    key = "a1B2" * 21 + "cQ=="
    redactor = Redactor.from_environment({"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=me;AccountKey={key};x=y"})
    assert redactor.text(f"me signs with {key}") == f"me signs with {MASK}"


def test_source_code_that_puts_a_connection_string_together_is_left_as_it_is() -> None:
    code = 'f"AccountName={name};AccountKey={key};SharedAccessSignature={token}"'
    assert Redactor().text(code) == code


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
        ("abfs://box@me.dfs.core.windows.net/x", "abfs://box@me.dfs.core.windows.net/x"),  # a container, nobody's name
        ("see az://box@me/x, abfss://me:pass@host/x", "see az://box@me/x, abfss://host/x"),
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


CREDENTIALS = [
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2_" * 9,
    "glpat-" + "a1B2c" * 4,
    "AKIA" + "A1B2C3D4" * 2,
    "ASIA" + "A1B2C3D4" * 2,
    "AIza" + "a1B2c" * 7,
    "npm_" + "a1B2c3" * 6,
    "pypi-Ag" + "a1B2c" * 10,
    "dckr_pat_" + "a1B2c" * 4,
    *(f"gh{kind}_" + "a1B2" * 9 for kind in "ousr"),
    "xox" + "b-1234567890-abcdef",
    "hf_" + "a1B2c" * 7,
    "sk-ant-" + "a1B2c" * 8,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk",
    "AccountKey=" + "a1B2" * 21 + "cQ==",
    "SharedAccessSignature=sv=2024-11-04&sp=r&sig=" + "a1B2c" * 8 + "%3D",
    "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA" * 4 + "\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", CREDENTIALS, ids=lambda secret: secret[:12])
def test_what_has_the_form_of_a_credential_is_masked_whoever_it_belongs_to(secret: str) -> None:
    for text in (f"token is {secret} here", json.dumps({"x": secret}), f"a='{secret}'"):
        shown = Redactor().text(text)
        assert MASK in shown
        assert secret not in shown
        assert secret[10:] not in shown
        Redactor().refuse(shown.encode(), "run.json")
    with pytest.raises(SecretFound, match="form of a credential"):
        Redactor().refuse(json.dumps(secret).encode(), "run.json")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--api-key=hunter-two", "--api-key=***"),
        ("train.py --api-key=hunter-two --rate=3", "train.py --api-key=*** --rate=3"),
        ("https://h/x?X-Amz-Signature=abcdef123&y=2", "https://h/x?X-Amz-Signature=***&y=2"),
        ("--sites=https://h/x?token=abcdef123", "--sites=https://h/x?token=***"),
        ("--token=https://h/x?token=abcdef123&y=2", "--token=***&y=2"),
        ("GET https://h/x?y=2&token=abcdef123", "GET https://h/x?y=2&token=***"),
        ("curl -H 'Authorization: Bearer abcdefghijklmnopqrstuvwxyz'", "curl -H 'Authorization: Bearer ***'"),
    ],
)
def test_a_value_after_a_telling_name_is_masked_in_commands_and_addresses(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "task-" + "abcdefgh-" * 5,
        "the bearer of news",
        "n_tokens=12 --seed=3",
        "--monkey=capuchin",
        "--x.token=abcdefgh",
        "--token=*** --token=short",
        "risk-adjusted",
        "shf_x",
        "AKIAX",
        "eyJ",
    ],
)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    "text",
    ["eyJ" * 700_000, "-----BEGIN PRIVATE KEY-----" * 60_000, "--a-" * 500_000 + "=", "ghp_" * 500_000, "sk-" * 700_000,
     "--token=" * 300_000, "x_token=abcdef --" * 100_000, "=" * 2_000_000 + "--", "a-key=" + "x-key=" * 300_000 + "--",
     "_" * 2_000_000],
)  # fmt: skip
def test_text_that_looks_like_many_credentials_is_masked_in_bounded_time(text: str) -> None:
    begun = time.process_time()
    Redactor().text(text)
    assert time.process_time() - begun < 8


def test_secret_values_of_a_command_are_found_by_their_options() -> None:
    command = ["prog", "--token", "hunter-two", "--api-key=hunter-three", "--seed", "3", "-v", "--password"]
    assert list(secret_arguments(())) == []
    assert [each for each in secret_arguments(command) if each] == ["hunter-two", "hunter-three"]


def test_secrets_that_are_found_later_are_masked_from_then_on() -> None:
    redactor = Redactor(["hunter-one"])
    redactor.learn(["hunter-two"])
    assert redactor.text("hunter-one hunter-two") == "*** ***"


def test_the_password_in_an_address_is_masked_alone_as_well() -> None:
    redactor = Redactor.from_environment({"DATABASE_URL": "postgresql://me:hunter-two@db/x", "HOME": "/home/me"})
    assert redactor.text("connecting with hunter-two as me to /home/me") == "connecting with *** as me to /home/me"
