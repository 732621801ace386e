/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/yaml_words: what YAML means, in words: the types of plain scalars, a look-up, and
 * libyaml's complaints said plainly.
 *
 * Layer: rules.
 */
#include "rules/read/yaml.h"

#include "base/utf8.h"

const struct gr_yaml_node *gr_yaml_get(const struct gr_yaml_node *node, const char *key)
{
    if (!node || node->kind != GR_YAML_MAPPING)
        return NULL;
    for (const struct gr_yaml_node *value = node->first; value; value = value->next) {
        if (gr_str_is(value->key, key))
            return value;
    }
    return NULL;
}

static bool is_one_of(struct gr_str text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (gr_str_is(text, words[i]))
            return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 0x1F, 0o17, 0b1: behind the sign. */
static bool is_prefixed_number(struct gr_str s)
{
    if (s.n < 3 || s.p[0] != '0' || (s.p[1] != 'x' && s.p[1] != 'o' && s.p[1] != 'b'))
        return false;
    for (size_t i = 2; i < s.n; i++) {
        if (!is_hex_digit(s.p[i]) && s.p[i] != '_')
            return false;
        if (s.p[1] != 'x' && s.p[i] > '7')
            return false;
        if (s.p[1] == 'b' && s.p[i] > '1' && s.p[i] != '_')
            return false;
    }
    return true;
}

/* Digits with underscores, from at; returns where they end. */
static size_t skip_digits(struct gr_str s, size_t at)
{
    while (at < s.n && (is_digit(s.p[at]) || s.p[at] == '_'))
        at++;
    return at;
}

/* 12, 1_000, 1.5, .5, 1e3, 1.5E-7: behind the sign. */
static bool is_decimal_number(struct gr_str s)
{
    size_t at = 0;
    size_t digits = 0;
    size_t end;

    if (s.n == 0 || s.p[0] == '_')
        return false;
    at = skip_digits(s, 0);
    digits = at;
    if (at < s.n && s.p[at] == '.') {
        end = skip_digits(s, at + 1);
        digits += end - at - 1;
        at = end;
    }
    if (digits == 0)
        return false;
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        if (at < s.n && (s.p[at] == '+' || s.p[at] == '-'))
            at++;
        end = skip_digits(s, at);
        return end == s.n && end > at;
    }
    return at == s.n;
}

static bool is_number(struct gr_str text)
{
    static const char *const special[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
    struct gr_str s = text;

    if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-'))
        s = gr_str_skip(s, 1);
    return is_prefixed_number(s) || is_decimal_number(s) ||
           is_one_of(s, special, GR_ARRAY_LEN(special));
}

enum gr_yaml_type gr_yaml_plain_type(struct gr_str text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const booleans[] = {
        "true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No",
        "NO",   "on",   "On",   "ON",    "off",   "Off",   "OFF", "y",   "Y",   "n",  "N",
    };

    if (text.n > sizeof("false") - 1) /* the longest of them */
        return is_number(text) ? GR_YAML_NUMBER : GR_YAML_TEXT;
    if (is_one_of(text, nulls, GR_ARRAY_LEN(nulls)))
        return GR_YAML_NULL;
    if (is_one_of(text, booleans, GR_ARRAY_LEN(booleans)))
        return GR_YAML_BOOLEAN;
    return is_number(text) ? GR_YAML_NUMBER : GR_YAML_TEXT;
}

const char *gr_yaml_type_name(enum gr_yaml_type type)
{
    static const char *const names[] = {
        [GR_YAML_TEXT] = "text",
        [GR_YAML_NULL] = "null",
        [GR_YAML_BOOLEAN] = "boolean",
        [GR_YAML_NUMBER] = "number",
    };

    return names[type];
}

/* libyaml's text of a problem (with its context, where one text serves several) and ours. */
struct words {
    const char *problem;
    const char *context; /* NULL: any */
    const char *text;
};

static const struct words words[] = {
    {"could not find expected ':'", NULL,
     "expected a colon and a space behind this key; if the line goes on with the text above, "
     "indent "
     "it further or quote the text"},
    {"did not find expected ',' or '}'", NULL,
     "expected a comma or the closing } of the {…}; a text that holds one of ,[]{}: must be quoted "
     "there"},
    {"did not find expected ',' or ']'", NULL,
     "expected a comma or the closing ] of the […]; a text that holds one of ,[]{}: must be quoted "
     "there"},
    {"did not find expected key", NULL,
     "expected a key that begins in the same column as the other keys of this mapping; mend the "
     "indentation, or quote the value above if it holds special characters"},
    {"did not find expected '-' indicator", NULL,
     "expected the next \"- \" of the list, in the same column as the others; mend the "
     "indentation"},
    {"did not find expected node content", NULL,
     "expected a value here; write one, or quote the text if it begins with a special character"},
    {"did not find expected <document start>", NULL,
     "expected the end of the file or a line \"---\" before the next document; what stands here "
     "does not belong to the text above"},
    {"did not find expected alphabetic or numeric character", "while scanning an alias",
     "a text that begins with * must be quoted; for a pattern write {glob: \"*…\"}"},
    {"did not find expected alphabetic or numeric character", "while scanning an anchor",
     "a text that begins with & must be quoted"},
    {"found undefined tag handle", NULL,
     "tags are not supported; a text that begins with ! must be quoted"},
    {"mapping values are not allowed in this context", NULL,
     "a colon with a space behind it is not allowed here; quote the text, or mend the indentation "
     "if a key was meant"},
    {"mapping keys are not allowed in this context", NULL,
     "a key is not allowed here; mend the indentation, or quote the text if it begins with \"? \""},
    {"block sequence entries are not allowed in this context", NULL,
     "a list entry (\"- \") is not allowed here; begin the list on a line of its own, or quote the "
     "text"},
    {"found a tab character that violates indentation", NULL,
     "a tab is not allowed in the indentation; use spaces"},
    {"found a tab character where an indentation space is expected", NULL,
     "a tab is not allowed in the indentation; use spaces"},
    {"found unexpected ':'", NULL, "a colon is not allowed here; quote the text that holds it"},
    {"found unexpected end of stream", NULL,
     "this quoted text never ends; add the closing quote (inside single quotes a quote is written "
     "twice, inside double quotes as \\\")"},
    {"found unexpected document indicator", NULL,
     "a line that begins with --- or ... stands inside a quoted text; add the closing quote before "
     "it"},
    {"found unknown escape character", NULL,
     "unknown escape behind \\ in double quotes; write \\\\ for a backslash, or use single quotes"},
    {"did not find expected hexdecimal number", NULL,
     "expected hexadecimal digits: \\x takes 2, \\u 4 and \\U 8 of them"},
    {"found invalid Unicode character escape code", NULL,
     "this escape is no character; write characters beyond U+FFFF as themselves or with \\U and 8 "
     "digits, not as two \\u"},
    {"found an indentation indicator equal to 0", NULL,
     "the digit behind | or > must be 1 to 9; leave it out to take the indentation of the text"},
    {"did not find expected comment or line break", "while scanning a block scalar",
     "expected the end of the line behind | or >; the text begins on the next line"},
    {"found duplicate %YAML directive", NULL, "two %YAML lines; keep one"},
    {"found incompatible YAML document", NULL,
     "this %YAML version is not supported; remove the line or write %YAML 1.2"},
    {"found duplicate %TAG directive", NULL, "tags are not supported; remove the %TAG lines"},
    {"found unknown directive name", NULL,
     "a line that begins with % is not supported; remove it, or quote the text"},
};

static const char *explain_first_character(struct gr_str found)
{
    switch (found.n > 0 ? found.p[0] : '\0') {
    case '\t':
        return "a tab is not allowed in the indentation; use spaces";
    case '@':
        return "a text that begins with @ must be quoted";
    case '`':
        return "a text that begins with ` must be quoted";
    case '%':
        return "a text that begins with % must be quoted";
    default:
        break;
    }
    return "a text cannot begin with this character; quote it";
}

/* What is left has to do with tags or %-lines. */
static const char *explain_rest(const char *context)
{
    if (context && strstr(context, "tag"))
        return "tags are not supported; a text that begins with ! must be quoted";
    if (context && strstr(context, "directive"))
        return "a line that begins with % is not supported; remove it, or quote the text";
    return "this is not valid YAML";
}

const char *gr_yaml_explain(const char *problem, const char *context, struct gr_str found)
{
    if (!problem)
        return explain_rest(context);
    if (strcmp(problem, "found character that cannot start any token") == 0)
        return explain_first_character(found);
    for (size_t i = 0; i < GR_ARRAY_LEN(words); i++) {
        if (strcmp(problem, words[i].problem) != 0)
            continue;
        if (!words[i].context || (context && strcmp(context, words[i].context) == 0))
            return words[i].text;
    }
    return explain_rest(context);
}
