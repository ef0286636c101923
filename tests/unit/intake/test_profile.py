"""What is seen in a file that nobody has described: how it is read, and how it writes numbers."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from intake.fault import InputFault
from intake.profile import number_form, profile_file


@pytest.mark.parametrize(
    ("values", "decimal", "noise", "ambiguous"),
    [
        (("1.5", "2"), ".", (), False),
        (("1,5", "2,25"), ",", (), False),
        (("1.234,50", "2,25"), ",", (".",), False),
        (("1,234.50", "2.25"), ".", (",",), False),
        (("1,234", "2,250"), ".", (",",), True),
        (("12 €", "1 000 €"), ".", ("€", " "), False),
    ],
)
def test_a_number_is_read_as_written(
    values: tuple[str, ...], decimal: str, noise: tuple[str, ...], ambiguous: bool
) -> None:
    form = number_form(dict.fromkeys(values, 1))
    assert form
    assert (form.decimal, form.noise, form.is_ambiguous) == (decimal, noise, ambiguous)


def test_words_are_no_numbers() -> None:
    assert number_form({"apple": 3, "1": 1}) is None


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty-file"), (b"\x1f\x8b no gzip", "unreadable-file"),
     (b"id,id\n1,2\n", "wrong-header"), (b"PAR1 and nothing", "unreadable-file")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(InputFault) as raised:
        profile_file(path)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.csv", "id;né\n1;é\n".encode("cp1252"), ("csv", ";", "windows-1252")),
        ("a.csv", "id;né\n1;é\n".encode("utf-16"), ("csv", ";", "utf-16")),
        ("a.csv.gz", gzip.compress(b"id,n\n1,2\n", mtime=0), ("csv", ",", "utf-8")),
        ("a.json", b'[{"id": 1, "n": 2}]', ("json", ",", "utf-8")),
        ("a.jsonl", b'{"id": 1, "n": 2}\n', ("jsonl", ",", "utf-8")),
    ],
)
def test_format_delimiter_and_encoding_are_told_by_the_bytes(
    tmp_path: Path, name: str, content: bytes, form: tuple[str, str, str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    profile = profile_file(path)
    assert (profile.spec.format, profile.spec.delimiter, profile.spec.encoding) == form
    assert (profile.rows, len(profile.names)) == (1, 2)
