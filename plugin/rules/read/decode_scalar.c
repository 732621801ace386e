/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_scalar: the kinds of scalars that several parts of a HookSet share: literals,
 * names, signed numbers, quantities and the rights of files.
 *
 * Layer: rules. As in rules/read/strict, a plain number is never a text and a quoted one never a
 * number; a quantity with a unit is a text either way.
 */
#include <inttypes.h>
#include <stdio.h>

#include "rules/read/decode_parts.h"
#include "rules/limits.h"

int gr_decode_literal(struct gr_decoder *d, const struct gr_yaml_node *node,
                      enum gr_text_class allowed, size_t max, struct gr_str *out_text)
{
    struct gr_str text = GR_STR_NONE;
    int r = gr_decode_text_copy(d, node, allowed, max, &text);

    if (r != 0)
        return r;
    if (text.n > 0 && memmem(text.p, text.n, "{{", 2))
        return gr_decode_refuse(
            d, node->at, "no-template",
            "templates are filled in only in args and env of hooks; here the "
            "{{ would stand as it is, so it is refused: write the value itself");
    *out_text = text;
    return 0;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool gr_is_token(struct gr_str text, const char *inside)
{
    for (size_t i = 0; i < text.n; i++) {
        bool edge = i == 0 || i + 1 == text.n;

        if (!is_alphanumeric(text.p[i]) && (edge || !strchr(inside, text.p[i])))
            return false;
    }
    return text.n > 0;
}

int gr_decode_token(struct gr_decoder *d, const struct gr_yaml_node *node, const char *inside,
                    const char *what, struct gr_str *out_text)
{
    struct gr_str text = GR_STR_NONE;
    int r = gr_decode_literal(d, node, GR_TEXT_LINE, GR_ADJUST_NAME_MAX_BYTES, &text);

    if (r != 0)
        return r;
    if (!gr_is_token(text, inside))
        return gr_decode_refuse(d, node->at, "bad-adjust",
                                "\"%s\" is not %s: expected letters, digits and any of %s, "
                                "beginning and ending with a letter or digit",
                                gr_show(text).text, what, inside);
    *out_text = text;
    return 0;
}

static bool parse_integer(struct gr_str text, int64_t *out)
{
    bool negative = text.n > 0 && text.p[0] == '-';
    uint64_t value = 0;

    if (gr_str_to_u64(gr_str_skip(text, negative), &value) != 0 || value > INT64_MAX)
        return false;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return !(negative && value == 0);
}

int gr_decode_integer(struct gr_decoder *d, const struct gr_yaml_node *node, int64_t min,
                      int64_t max, int64_t *out)
{
    int64_t value = 0;

    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (node->kind != GR_YAML_SCALAR || !node->plain || !parse_integer(node->text, &value) ||
        value < min || value > max)
        return gr_decode_refuse(d, node->at, "bad-number",
                                "expected a whole number from %" PRId64 " to %" PRId64
                                " without quotes, found %s",
                                min, max, gr_decode_describe(node).text);
    *out = value;
    return 0;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* The factor of a unit; 0: there is no such unit. */
static uint64_t factor_of(struct gr_str unit)
{
    static const struct unit units[] = {
        {"Ki", 1ULL << 10},      {"Mi", 1ULL << 20},         {"Gi", 1ULL << 30},
        {"Ti", 1ULL << 40},      {"Pi", 1ULL << 50},         {"Ei", 1ULL << 60},
        {"k", 1000ULL},          {"M", 1000000ULL},          {"G", 1000000000ULL},
        {"T", 1000000000000ULL}, {"P", 1000000000000000ULL}, {"E", 1000000000000000000ULL},
    };

    for (size_t i = 0; i < GR_ARRAY_LEN(units); i++) {
        if (gr_str_is(unit, units[i].name))
            return units[i].factor;
    }
    return 0;
}

/* A number alone stands without quotes; 0 needs no unit. */
static bool parse_quantity(const struct gr_yaml_node *node, uint64_t *out)
{
    size_t digits = 0;
    uint64_t value = 0;
    uint64_t factor = 1;

    while (digits < node->text.n && node->text.p[digits] >= '0' && node->text.p[digits] <= '9')
        digits++;
    if (gr_str_to_u64(gr_str_first(node->text, digits), &value) != 0)
        return false;
    if (digits == node->text.n) {
        *out = value;
        return node->plain;
    }
    factor = factor_of(gr_str_skip(node->text, digits));
    if (value == 0 || factor == 0 || __builtin_mul_overflow(value, factor, out))
        return false;
    return true;
}

static int refuse_quantity(struct gr_decoder *d, const struct gr_yaml_node *node,
                           const struct gr_quantity_range *range)
{
    return gr_decode_refuse(d, node->at, "bad-quantity",
                            "expected a whole number from %" PRIu64 " to %" PRIu64
                            " without quotes, or one with a unit such as 64Mi (k, M, G, T, P, E, "
                            "Ki, Mi, Gi, Ti, Pi, Ei)%s, found %s",
                            range->min, range->max, range->unlimited ? ", or unlimited" : "",
                            gr_decode_describe(node).text);
}

int gr_decode_quantity(struct gr_decoder *d, const struct gr_yaml_node *node,
                       const struct gr_quantity_range *range, uint64_t *out)
{
    uint64_t value = 0;

    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (node->kind != GR_YAML_SCALAR)
        return refuse_quantity(d, node, range);
    if (range->unlimited &&
        (gr_str_is(node->text, "unlimited") || (node->plain && gr_str_is(node->text, "-1")))) {
        *out = UINT64_MAX;
        return 0;
    }
    if (!parse_quantity(node, &value) || value < range->min || value > range->max)
        return refuse_quantity(d, node, range);
    *out = value;
    return 0;
}

int gr_decode_rights(struct gr_decoder *d, const struct gr_yaml_node *node, uint32_t *out)
{
    struct gr_str digits = node->text;
    uint32_t value = 0;
    bool fine = node->kind == GR_YAML_SCALAR && !node->plain;

    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (digits.n == 4 && digits.p[0] == '0')
        digits = gr_str_skip(digits, 1);
    fine = fine && digits.n == 3;
    for (size_t i = 0; fine && i < digits.n; i++) {
        fine = digits.p[i] >= '0' && digits.p[i] <= '7';
        value = 8 * value + (uint32_t)(digits.p[i] - '0');
    }
    if (!fine)
        return gr_decode_refuse(d, node->at, "bad-rights",
                                "expected three octal digits in quotes, such as \"0660\", found %s",
                                gr_decode_describe(node).text);
    *out = value;
    return 0;
}
