"""Writes into a picture how it was made, and reads it again: PNG, SVG and PDF.

What is kept is JSON, text that any program may read and none runs: in PNG a text chunk, in SVG the
description of the metadata, in PDF the keywords. Reading looks at the first megabytes only and makes nothing
but what JSON can hold.
Sources: PNG (ISO/IEC 15948) sections 5 and 11.3.4; Dublin Core in SVG 2; PDF (ISO 32000) section 14.3.3.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

from pygama.errors import TierFileError

KEY = "pygama"
SUFFIXES = (".png", ".svg", ".pdf")
MOST_BYTES = 8_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
_BEGIN = f"{KEY}:"
_SVG_TEXT = re.compile(r"<dc:description>[^<]*?\bpygama:(\{[^<]*)</dc:description>")


def metadata(suffix: str, made: Mapping[str, Any]) -> dict[str, str]:
    """Give what matplotlib's `savefig` takes as metadata, for a picture that ends in `suffix`."""
    text = json.dumps(made, allow_nan=False)
    match suffix.lower():
        case ".png":
            return {KEY: text}
        case ".svg":
            return {"Description": _BEGIN + text}
        case ".pdf":
            return {"Keywords": _BEGIN + text}
    raise TierFileError(f"a picture ends in {', '.join(SUFFIXES)}, not in '{suffix}'")


def how_made(path: Path | str) -> dict[str, Any] | None:
    """Read how a picture was made; None where it does not say. Raises OSError where it cannot be read."""
    with Path(path).open("rb") as file:
        data = file.read(MOST_BYTES)
    for text in _texts(data):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return None


def _texts(data: bytes) -> Iterator[str]:
    if data.startswith(_PNG):
        yield from (text for key, text in _png_texts(data) if key == KEY)
    elif data.startswith(b"%PDF"):
        yield from _pdf_texts(data)
    elif b"<svg" in data[:4096]:
        words = data.decode("utf-8", "replace")
        for found in re.finditer(
            r"<dc:description>[^<]*?\bpygama:(\{[^<]*)</dc:description>", words, re.DOTALL
        ):
            yield unescape(found[1])


def _png_texts(data: bytes) -> Iterator[tuple[str, str]]:
    """Give keyword and text of each text chunk; damaged ones are passed over."""
    at = len(_PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        checksum = data[at + 8 + length : at + 12 + length]
        at += 12 + length
        if checksum != struct.pack(">I", zlib.crc32(kind + body)):
            continue
        key, _, rest = body.partition(b"\0")
        name = key.decode("latin-1")
        try:
            if kind == b"tEXt":
                yield name, rest.decode("latin-1")
            elif kind == b"zTXt":
                yield name, _inflated(rest[1:]).decode("latin-1")
            elif kind == b"iTXt" and len(rest) > 2:
                text = rest[2:].split(b"\0", 2)[2]
                yield name, (_inflated(text) if rest[0] else text).decode("utf-8")
        except (ValueError, zlib.error, IndexError):
            continue


def _inflated(data: bytes) -> bytes:
    """Decompress, but never to more than a picture may say."""
    inflater = zlib.decompressobj()
    text = inflater.decompress(data, MOST_BYTES)
    if inflater.unconsumed_tail:
        raise ValueError("too long")
    return text


def _pdf_texts(data: bytes) -> Iterator[str]:
    for found in re.finditer(rb"/Keywords \(", data):
        text = _pdf_string(data, found.end())
        if text.startswith(_BEGIN):
            yield text[len(_BEGIN) :]


def _pdf_string(data: bytes, start: int) -> str:
    """Read a literal string up to the bracket that closes it."""
    escapes = {ord("n"): 10, ord("r"): 13, ord("t"): 9, ord("b"): 8, ord("f"): 12}
    out, at, depth = bytearray(), start, 1
    while at < len(data):
        byte = data[at]
        if byte == ord("\\") and at + 1 < len(data):
            octal = re.match(rb"[0-7]{1,3}", data[at + 1 : at + 4])
            following = data[at + 1]
            out.append(int(octal[0], 8) & 255 if octal else escapes.get(following, following))
            at += 1 + (len(octal[0]) if octal else 1)
            continue
        depth += (byte == ord("(")) - (byte == ord(")"))
        if not depth:
            break
        out.append(byte)
        at += 1
    return out.decode("utf-16") if out[:2] in (b"\xfe\xff", b"\xff\xfe") else out.decode("latin-1")
