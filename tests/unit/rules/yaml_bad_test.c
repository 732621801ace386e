/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that are refused before anybody looks at their meaning: each with its exact place and text.
 */
#include "rules/decoding.h"

#define REPEAT11(text) text text text text text text text text text text text
#define REPEAT33(text) REPEAT11(text) REPEAT11(text) REPEAT11(text)

static const struct bad_row rows[] = {
    /* broken YAML */
    {"list never closed", BYTES("a: [b, c\n"), 2, 1, "yaml-syntax", "",
     "expected a comma or the closing ] of the […]; a text that holds one of "
     ",[]{}: must be quoted there; what is broken here began at line 1",
     REST},
    {"mapping never closed", BYTES("a: {b: c\n"), 2, 1, "yaml-syntax", "",
     "expected a comma or the closing } of the {…}; a text that holds one of "
     ",[]{}: must be quoted there; what is broken here began at line 1",
     REST},
    {"mapping without a comma", BYTES("a: {b: 'c' d: e}\n"), 1, 12, "yaml-syntax", "",
     "expected a comma or the closing } of the {…}; a text that holds one of "
     ",[]{}: must be quoted there",
     REST},
    {"list without a comma", BYTES("a: ['b' 'c']\n"), 1, 9, "yaml-syntax", "",
     "expected a comma or the closing ] of the […]; a text that holds one of "
     ",[]{}: must be quoted there",
     REST},
    {"double quote never closed",
     BYTES("a: 1\n"
           "b: \"c\n"),
     2, 4, "yaml-syntax", "",
     "this quoted text never ends; add the closing quote (inside single "
     "quotes a quote is written twice, inside double quotes as \\\")",
     REST},
    {"single quote never closed",
     BYTES("a: 1\n"
           "b: 'c\n"),
     2, 4, "yaml-syntax", "",
     "this quoted text never ends; add the closing quote (inside single "
     "quotes a quote is written twice, inside double quotes as \\\")",
     REST},
    {"wrong indentation of a key",
     BYTES("a:\n"
           "  b: c\n"
           " d: e\n"),
     3, 2, "yaml-syntax", "",
     "expected a key that begins in the same column as the other keys of "
     "this mapping; mend the indentation, or quote the value above if it "
     "holds special characters; what is broken here began at line 1",
     REST},
    {"deeper indentation without a key",
     BYTES("a: b\n"
           "  c: d\n"),
     2, 4, "yaml-syntax", "",
     "a colon with a space behind it is not allowed here; quote the text, or "
     "mend the indentation if a key was meant",
     REST},
    {"no colon behind a key",
     BYTES("a: b\n"
           "c\n"
           "d: e\n"),
     2, 1, "yaml-syntax", "",
     "expected a colon and a space behind this key; if the line goes on with "
     "the text above, indent it further or quote the text",
     REST},
    {"tab as indentation",
     BYTES("a:\n"
           "\tb: c\n"),
     2, 1, "yaml-syntax", "", "a tab is not allowed in the indentation; use spaces", REST},
    {"colon inside a plain text", BYTES("a: b: c\n"), 1, 5, "yaml-syntax", "",
     "a colon with a space behind it is not allowed here; quote the text, or "
     "mend the indentation if a key was meant",
     REST},
    {"list entry behind a key", BYTES("a: - b\n"), 1, 4, "yaml-syntax", "",
     "a list entry (\"- \") is not allowed here; begin the list on a line of "
     "its own, or quote the text",
     REST},
    {"text beside a list",
     BYTES("- a\n"
           "b\n"),
     2, 1, "yaml-syntax", "",
     "expected a colon and a space behind this key; if the line goes on with "
     "the text above, indent it further or quote the text",
     REST},
    {"text begins with @", BYTES("a: @b\n"), 1, 4, "yaml-syntax", "",
     "a text that begins with @ must be quoted", REST},
    {"text begins with a backtick", BYTES("a: `b`\n"), 1, 4, "yaml-syntax", "",
     "a text that begins with ` must be quoted", REST},
    {"text begins with %", BYTES("a: %b\n"), 1, 4, "yaml-syntax", "",
     "a text that begins with % must be quoted", REST},
    {"bare star", BYTES("a: *\n"), 1, 4, "yaml-syntax", "",
     "a text that begins with * must be quoted; for a pattern write {glob: "
     "\"*…\"}",
     REST},
    {"bare ampersand", BYTES("a: & b\n"), 1, 4, "yaml-syntax", "",
     "a text that begins with & must be quoted", REST},
    {"unknown escape", BYTES("a: \"\\q\"\n"), 1, 5, "yaml-syntax", "",
     "unknown escape behind \\ in double quotes; write \\\\ for a backslash, or "
     "use single quotes",
     REST},
    {"short hexadecimal escape", BYTES("a: \"\\x1\"\n"), 1, 7, "yaml-syntax", "",
     "expected hexadecimal digits: \\x takes 2, \\u 4 and \\U 8 of them", REST},
    {"surrogate pair escape", BYTES("a: \"\\ud83d\\ude00\"\n"), 1, 7, "yaml-syntax", "",
     "this escape is no character; write characters beyond U+FFFF as "
     "themselves or with \\U and 8 digits, not as two \\u",
     REST},
    {"document marker inside quotes",
     BYTES("a: \"b\n"
           "--- c\"\n"),
     2, 1, "yaml-syntax", "",
     "a line that begins with --- or ... stands inside a quoted text; add "
     "the closing quote before it; what is broken here began at line 1",
     REST},
    {"block text with a zero indicator",
     BYTES("a: |0\n"
           "  b\n"),
     1, 5, "yaml-syntax", "",
     "the digit behind | or > must be 1 to 9; leave it out to take the "
     "indentation of the text",
     REST},
    {"text behind a block indicator",
     BYTES("a: | b\n"
           "  c\n"),
     1, 6, "yaml-syntax", "",
     "expected the end of the line behind | or >; the text begins on the "
     "next line",
     REST},
    {"unknown directive",
     BYTES("%FOO bar\n"
           "---\n"
           "a: b\n"),
     1, 5, "yaml-syntax", "",
     "a line that begins with % is not supported; remove it, or quote the "
     "text",
     ALONE},
    {"version directive twice",
     BYTES("%YAML 1.1\n"
           "%YAML 1.1\n"
           "---\n"
           "a: b\n"),
     2, 1, "yaml-syntax", "", "two %YAML lines; keep one", ALONE},
    {"unknown YAML version",
     BYTES("%YAML 3.0\n"
           "---\n"
           "a: b\n"),
     1, 1, "yaml-syntax", "",
     "this %YAML version is not supported; remove the line or write %YAML "
     "1.2",
     ALONE},
    {"undefined tag handle", BYTES("a: !x!y z\n"), 1, 4, "yaml-syntax", "",
     "tags are not supported; a text that begins with ! must be quoted", REST},
    {"JSON with a second value",
     BYTES("{\"a\": 1}\n"
           "{\"b\": 2}\n"),
     2, 1, "yaml-syntax", "",
     "expected the end of the file or a line \"---\" before the next document; "
     "what stands here does not belong to the text above",
     REST},
    {"JSON with a trailing bracket", BYTES("{\"a\": 1}]\n"), 1, 9, "yaml-syntax", "",
     "expected the end of the file or a line \"---\" before the next document; "
     "what stands here does not belong to the text above",
     REST},
    {"deep list", BYTES(REPEAT33("[")), 1, 33, "too-deep",
     "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
     "[0]",
     "lists and mappings are nested more than 32 deep here; the rest of the "
     "file is not read",
     REST},
    {"deep mapping", BYTES(REPEAT33("{a: ")), 1, 129, "too-deep",
     "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a",
     "lists and mappings are nested more than 32 deep here; the rest of the "
     "file is not read",
     REST},
    /* bytes that no file may hold */
    {"byte order mark", BYTES("\357\273\277" TOP), 1, 1, "byte-order-mark", "",
     "a byte order mark (U+FEFF) is not allowed; save the file as UTF-8 "
     "without it",
     FILE_},
    {"UTF-16, little endian", BYTES("\377\376{\000}\000"), 1, 1, "bad-utf8", "",
     "the file looks like UTF-16; save it as UTF-8", ALONE},
    {"UTF-16, big endian without a mark", BYTES("\000{\000}"), 1, 1, "bad-utf8", "",
     "the file looks like UTF-16; save it as UTF-8", ALONE},
    {"NUL byte", BYTES("a: \000b\n"), 1, 4, "control-character", "",
     "the file holds a NUL byte; remove it", FILE_},
    {"bad UTF-8",
     BYTES("a: b\n"
           "c: \303(\n"),
     2, 4, "bad-utf8", "", "the byte 0xC3 does not belong to valid UTF-8; save the file as UTF-8",
     FILE_},
    {"bad UTF-8 behind other characters", BYTES("a: \303\251\342\202\254\377\n"), 1, 6, "bad-utf8",
     "", "the byte 0xFF does not belong to valid UTF-8; save the file as UTF-8", FILE_},
    {"surrogate in UTF-8", BYTES("a: \355\240\200\n"), 1, 4, "bad-utf8", "",
     "the byte 0xED does not belong to valid UTF-8; save the file as UTF-8", FILE_},
    {"overlong UTF-8", BYTES("a: \300\257\n"), 1, 4, "bad-utf8", "",
     "the byte 0xC0 does not belong to valid UTF-8; save the file as UTF-8", FILE_},
    {"control character", BYTES("a: b\007\n"), 1, 5, "control-character", "",
     "the character U+0007 is not allowed in a file; remove it, or write it "
     "in double quotes as \\u0007",
     FILE_},
    {"line separator", BYTES("a: b\342\200\250\n"), 1, 5, "control-character", "",
     "the character U+2028 is not allowed in a file; remove it, or write it "
     "in double quotes as \\u2028",
     FILE_},
    {"bad byte behind CRLF lines",
     BYTES("a: b\r\n"
           "c: d\r\n"
           "e: \377\r\n"),
     3, 4, "bad-utf8", "", "the byte 0xFF does not belong to valid UTF-8; save the file as UTF-8",
     FILE_},
    /* YAML that the format does not have */
    {"alias", BYTES(TOP SPEC "  match: {namespace: *default}\n" HOOKS), 4, 22, "alias",
     "spec.match.namespace",
     "aliases are not supported, found \"*default\"; write the value out here "
     "(a text that begins with * must be quoted)",
     DOCUMENT},
    {"alias as a key", BYTES(TOP SPEC "  match: {always: true, *a : b}\n" HOOKS), 4, 25, "alias",
     "spec.match",
     "aliases are not supported, found \"*a\"; write the value out here (a "
     "text that begins with * must be quoted)",
     DOCUMENT},
    {"anchor", BYTES(TOP SPEC MATCH "  order: &a 5\n" HOOKS), 5, 10, "anchor", "spec.order",
     "anchors are not supported, found \"&a\"; remove it and write the value "
     "out wherever it is needed (a text that begins with & must be quoted)",
     DOCUMENT},
    {"anchor on a mapping", BYTES(TOP SPEC "  match: &everything {always: true}\n" HOOKS), 4, 10,
     "anchor", "spec.match",
     "anchors are not supported, found \"&everything\"; remove it and write "
     "the value out wherever it is needed (a text that begins with & must be "
     "quoted)",
     DOCUMENT},
    {"tag", BYTES(TOP SPEC MATCH "  mode: !!str Enforce\n" HOOKS), 5, 9, "tag", "spec.mode",
     "tags are not supported, found \"tag:yaml.org,2002:str\"; remove it (a "
     "text that begins with ! must be quoted)",
     DOCUMENT},
    {"own tag", BYTES(TOP SPEC MATCH "  mode: !mode Enforce\n" HOOKS), 5, 9, "tag", "spec.mode",
     "tags are not supported, found \"!mode\"; remove it (a text that begins "
     "with ! must be quoted)",
     DOCUMENT},
    {"tag that only says text", BYTES(TOP SPEC MATCH "  mode: ! Enforce\n" HOOKS), 5, 9, "tag",
     "spec.mode",
     "tags are not supported, found \"!\"; remove it (a text that begins with "
     "! must be quoted)",
     DOCUMENT},
    {"tag on a list", BYTES(TOP SPEC "  match: {namespace: !!seq [a]}\n" HOOKS), 4, 22, "tag",
     "spec.match.namespace",
     "tags are not supported, found \"tag:yaml.org,2002:seq\"; remove it (a "
     "text that begins with ! must be quoted)",
     DOCUMENT},
    {"tag directive",
     BYTES("%TAG !e! tag:example.com,2000:\n"
           "---\n" TOP SPEC MATCH HOOKS),
     1, 1, "tag", "", "tags are not supported; remove the %TAG line", ALONE},
    {"merge key", BYTES(TOP SPEC MATCH "  <<: {order: 5}\n" HOOKS), 5, 3, "merge-key", "spec",
     "merge keys (<<) are not supported; write the keys out here", DOCUMENT},
    {"duplicate key",
     BYTES(TOP SPEC MATCH "  order: 5\n"
                          "  order: 5\n" HOOKS),
     6, 3, "duplicate-key", "spec.order",
     "the key \"order\" stands here a second time, first at line 5; keep one "
     "of the two",
     DOCUMENT},
    {"duplicate key, quoted",
     BYTES(TOP SPEC MATCH "  order: 5\n"
                          "  \"order\": 6\n" HOOKS),
     6, 3, "duplicate-key", "spec.order",
     "the key \"order\" stands here a second time, first at line 5; keep one "
     "of the two",
     DOCUMENT},
    {"duplicate label", BYTES(TOP SPEC "  match: {podLabels: {a: b, c: d, a: e}}\n" HOOKS), 4, 35,
     "duplicate-key", "spec.match.podLabels.a",
     "the key \"a\" stands here a second time, first at line 4; keep one of "
     "the two",
     DOCUMENT},
    {"list as a key", BYTES(TOP SPEC MATCH "  [a, b]: c\n" HOOKS), 5, 3, "bad-key", "spec",
     "a key must be a plain text, found a list", DOCUMENT},
    {"mapping as a key", BYTES(TOP SPEC MATCH "  {a: b}: c\n" HOOKS), 5, 3, "bad-key", "spec",
     "a key must be a plain text, found a mapping", DOCUMENT},
    {"NUL escape", BYTES(TOP SPEC "  match: {namespace: \"a\\0b\"}\n" HOOKS), 4, 22,
     "control-character", "spec.match.namespace",
     "this text holds a NUL byte (\\0), which no hook can be given; remove it", DOCUMENT},
};

int main(void)
{
    add_bad_rows(rows, GR_ARRAY_LEN(rows));
    return test_run("yaml_bad");
}
