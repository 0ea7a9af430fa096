"""Bytes to text: which of the encodings that test machines write a file is in."""

from __future__ import annotations

import codecs
import re

from toughopt.compression.base import Effect, Finding, Severity
from toughopt.compression.words import WORDS
from toughopt.errors import CurveError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Letters that are usual in each legacy encoding's languages. The encoding whose text has most of them, and most of the
# words that columns are called by, is the one.
_LETTERS: dict[str, str] = {
    "cp1252": "äöüÄÖÜßéèêàâçñóíáúÉ°²³µ±·",
    "cp1250": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰ°²",
    "cp1251": "абвгдежзийклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ°",
    "gb18030": (
        "时间位移载荷应变力试样压缩行程变形负荷速度横梁最大强度弹性模量名称编号日期单位结果表示"
        "操作员方法试验拉伸尺寸长宽高厚直径面积号第次"
    ),
    "cp932": (
        "時間位移変位荷重試験力ストローク応力ひずみ試料名日付単位速度最大強度弾性率圧縮引張方法結果幅高厚直径面積番号行程"
        "カキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモラリルレロンー"
    ),
    "cp949": (
        "시간변위하중힘응력변형률스트로크시험편이름날짜단위속도최대강도탄성압축인장방법결과폭높두께지름면적번호초력"
    ),
}
_FOREIGN_WORDS = tuple(word for words in WORDS.values() for word in words if not word.isascii() and len(word) > 1)
_MIXED = re.compile(
    r"[A-Za-z][^\x00-\u024f\u2000-\u22ff]|[^\x00-\u024f\u2000-\u22ff][A-Za-z]"
)  # two scripts in one word
_SAMPLE = 65536

#: How files begin that are handed in by mistake.
_NO_TEXT = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "an Excel workbook or another archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook or another Office document"),
    (b"\x1f\x8b", "compressed"),
    (b"\x89PNG", "a picture"),
)


def decode(data: bytes, encoding: str | None = None) -> tuple[str, tuple[Finding, ...]]:
    """The text of a file and what had to be decided to get it.

    Raises
    ------
    CurveError
        If the file is empty, is no text, or is not in the `encoding` that was asked for.
    """
    for start, kind in _NO_TEXT:
        if data.startswith(start):
            raise CurveError(f"the file is {kind}, no text; export it as CSV or text")
    if len(data) < _SAMPLE and not data.strip(b"\xef\xbb\xbf\xff\xfe\x00 \r\n\t"):
        raise CurveError(f"the file holds nothing ({len(data)} bytes); export the test again")
    if encoding is not None:
        try:
            return data.decode(encoding).lstrip("\ufeff"), ()
        except (UnicodeDecodeError, LookupError) as error:
            raise CurveError(f"the file is not in the encoding {encoding!r}: {error}") from error
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _decoded(data, name)
    wide = _wide(data)
    if wide:
        return _decoded(data, wide)
    if data.count(b"\x00", 0, _SAMPLE):
        raise CurveError("the file is no text: it holds zero bytes; export it as CSV or text")
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        pass
    name, doubtful = _legacy(data)
    text = data.decode(name, errors="replace")
    message = f"read as {name}" + (", the likeliest of several; encoding= settles it" if doubtful else "")
    severity, effect = (Severity.WARNING, Effect.WARN) if doubtful else (Severity.INFO, Effect.NONE)
    return text, (Finding("ENCODING", severity, effect, message),)


def _decoded(data: bytes, name: str) -> tuple[str, tuple[Finding, ...]]:
    try:
        return data.decode(name).lstrip("\ufeff"), ()
    except UnicodeDecodeError as error:
        text = data.decode(name, errors="replace").lstrip("\ufeff")
        message = f"damaged: {name} by its byte order mark, but byte {error.start} cannot be read as that"
        return text, (Finding("ENCODING_DAMAGED", Severity.WARNING, Effect.WARN, message),)


def _wide(data: bytes) -> str:
    """UTF-16 without a byte order mark: every other byte of mostly ASCII text is zero."""
    head = data[:_SAMPLE]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    if odd > 0.6 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.6 * half and odd < 0.1 * half:
        return "utf-16-be"
    return ""


def _legacy(data: bytes) -> tuple[str, bool]:
    """Name of the likeliest legacy encoding, and whether a second one is as likely."""
    lines = [line for line in data[: 4 * _SAMPLE].splitlines() if any(byte > 127 for byte in line)] or [
        line for line in data.splitlines() if any(byte > 127 for byte in line)
    ]
    sample = b"\n".join(lines[:200])
    scores: dict[str, float] = {}
    texts: dict[str, str] = {}
    for name, letters in _LETTERS.items():
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        foreign = [char for char in text if ord(char) > 127]
        usual = sum(char in letters for char in foreign) / max(len(foreign), 1)
        folded = text.casefold()
        mixed = len(_MIXED.findall(text)) / max(len(foreign), 1)
        scores[name] = usual - mixed + sum(word in folded for word in _FOREIGN_WORDS)
        texts[name] = text
    if not scores:
        return "cp1252", True
    best = max(scores, key=lambda name: scores[name])
    rivals = [name for name in scores if texts[name] != texts[best] and scores[name] > 0.9 * scores[best]]
    return best, scores[best] < 0.5 or bool(rivals)
