#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turns text files into a C source: embed.py OUT.c NAME=FILE...

Each NAME becomes "const char NAME[]" with the file's bytes and a NUL byte.
"""
import sys
from pathlib import Path


def array(name: str, data: bytes) -> str:
    rows = [", ".join(str(byte - 256 * (byte > 127)) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
    return f"const char {name}[] = {{\n" + ",\n".join(rows) + ", 0,\n};\n"


def main() -> None:
    out, *inputs = sys.argv[1:]
    pairs = [text.split("=", 1) for text in inputs]
    declarations = "".join(f"extern const char {name}[];\n" for name, _ in pairs)
    arrays = "".join(array(name, Path(path).read_bytes()) for name, path in pairs)
    Path(out).write_text(declarations + arrays)


main()
