/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/yaml_text: the look at the bytes of a file before they are parsed.
 *
 * Layer: rules. libyaml would guess UTF-16 and find bad bytes late and without a position; here the
 * whole text is known to be clean UTF-8 before the parser sees it. Lines end with \n, \r\n or \r,
 * as libyaml counts them.
 */
#include "rules/read/yaml.h"

#include "base/utf8.h"
#include "rules/limits.h"

#define BYTE_ORDER_MARK 0xFEFFU

/* The place of a byte offset; everything before it is valid. */
static struct gr_place place_at(struct gr_str text, size_t offset)
{
    struct gr_place place = {.line = 1, .column = 1};
    size_t at = 0;

    while (at < offset) {
        size_t n = gr_utf8_next(gr_str_skip(text, at), NULL);
        bool crlf = text.p[at] == '\r' && at + 1 < text.n && text.p[at + 1] == '\n';

        if (text.p[at] == '\n' || (text.p[at] == '\r' && !crlf)) {
            place.line++;
            place.column = 1;
        } else if (!crlf) {
            place.column++;
        }
        at += GR_MAX(n, (size_t)1);
    }
    return place;
}

static bool is_allowed(uint32_t rune)
{
    if (rune == '\t' || rune == '\n' || rune == '\r')
        return true;
    return !gr_utf8_is_control(rune) && rune != BYTE_ORDER_MARK && rune != 0xFFFEU &&
           rune != 0xFFFFU;
}

/* Offset of the first character that must not be in a file, or text.n. */
static size_t find_refused(struct gr_str text, uint32_t *out_rune)
{
    size_t at = 0;

    while (at < text.n) {
        unsigned char byte = (unsigned char)text.p[at];
        uint32_t rune = 0;
        size_t n = 1;

        if (byte >= 0x20 && byte < 0x7F) {
            at++;
            continue;
        }
        n = gr_utf8_next(gr_str_skip(text, at), &rune);
        if (n == 0 || !is_allowed(rune)) {
            *out_rune = rune;
            return at;
        }
        at += n;
    }
    return at;
}

static bool looks_like_utf16(struct gr_str text)
{
    static const char big_mark[] = {'\xFE', '\xFF'};
    static const char little_mark[] = {'\xFF', '\xFE'};

    if (text.n < 2)
        return false;
    return memcmp(text.p, big_mark, 2) == 0 || memcmp(text.p, little_mark, 2) == 0 ||
           (text.p[0] == '\0') != (text.p[1] == '\0');
}

static void report_refused(struct gr_str text, size_t at, uint32_t rune,
                           struct gr_findings *findings)
{
    struct gr_place place = place_at(text, at);

    if (gr_utf8_next(gr_str_skip(text, at), NULL) == 0)
        gr_findings_addf(findings, NULL, place, "bad-utf8",
                         "the byte 0x%02X does not belong to valid UTF-8; save the file as UTF-8",
                         (unsigned)(unsigned char)text.p[at]);
    else if (rune == BYTE_ORDER_MARK)
        gr_findings_addf(findings, NULL, place, "byte-order-mark",
                         "a byte order mark (U+FEFF) is not allowed; save the file as UTF-8 "
                         "without it");
    else if (rune == 0)
        gr_findings_addf(findings, NULL, place, "control-character",
                         "the file holds a NUL byte; remove it");
    else
        gr_findings_addf(findings, NULL, place, "control-character",
                         "the character U+%04X is not allowed in a file; remove it, or write it "
                         "in double quotes as \\u%04X",
                         rune, rune);
}

bool gr_yaml_check_text(struct gr_str text, struct gr_findings *findings)
{
    const struct gr_place begin = {.line = 1, .column = 1};
    uint32_t rune = 0;
    size_t at;

    if (text.n > GR_YAML_FILE_MAX_BYTES) {
        gr_findings_addf(findings, NULL, begin, "file-too-big",
                         "the file has %zu bytes; at most %u are allowed, split it into several "
                         "files",
                         text.n, GR_YAML_FILE_MAX_BYTES);
        return false;
    }
    if (looks_like_utf16(text)) {
        gr_findings_addf(findings, NULL, begin, "bad-utf8",
                         "the file looks like UTF-16; save it as UTF-8");
        return false;
    }
    at = find_refused(text, &rune);
    if (at == text.n)
        return true;
    report_refused(text, at, rune, findings);
    return false;
}
