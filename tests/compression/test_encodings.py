from __future__ import annotations

import pytest

from toughopt.compression.encodings import decode
from toughopt.errors import CurveError

TEXTS = {
    "cp1252": "Prüfzeit;Standardkraft;Länge\n",
    "cp1250": "Godzina;Przemieszczenie;Obciążenie;Siła\n",
    "gb18030": "时间,位移,载荷,压缩应变 (位移),\n",
    "cp949": "시간,하중,스트로크\n",
    "cp932": "時間,試験力,ストローク\n",
    "cp1251": "Время;Перемещение;Нагрузка\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_legacy_encodings_are_told_by_their_words(name):
    text, findings = decode(TEXTS[name].encode(name))
    assert text == TEXTS[name]
    assert [finding.code for finding in findings] == ["ENCODING"]


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_needs_no_guess(name):
    text = "Zeit;Weg\n" + "1;2\n" * 30
    assert decode(text.encode(name)) == (text, ())


def test_an_encoding_that_was_told_is_taken_or_refused():
    assert decode("Obciążenie".encode("cp1250"), "cp1250")[0] == "Obciążenie"
    with pytest.raises(CurveError, match="utf-8"):
        decode("Obciążenie".encode("cp1250"), "utf-8")
    with pytest.raises(CurveError, match="no-such"):
        decode(b"a", "no-such")


def test_binary_is_no_text():
    with pytest.raises(CurveError, match="no text"):
        decode(b"PK\x03\x04\x00\x00abc" * 20)


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n1 0 obj\nTime,Load\n1,2\n", "a PDF"),
        (b"PK\x03\x04\x14\x00", "an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (b"\x1f\x8b\x08", "compressed"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(start: bytes, what: str) -> None:
    with pytest.raises(CurveError, match=f"the file is {what}.*export it as CSV or text"):
        decode(start)
