/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_version: spec.minVersion against the version of the program.
 *
 * Layer: rules. A version is two or three numbers; one that is not given is 0. What stands behind
 * the numbers of the program's own version ("-rc1") does not count.
 */
#include "rules/read/decode_parts.h"
#include "rules/limits.h"

#define NUMBERS 3

struct version {
    uint64_t numbers[NUMBERS];
};

static bool parse(struct gr_str text, struct version *out)
{
    *out = (struct version){0};
    for (size_t i = 0; i < NUMBERS; i++) {
        size_t n = gr_str_find(text, '.');

        if (gr_str_to_u64(gr_str_first(text, n), &out->numbers[i]) != 0 ||
            out->numbers[i] > GR_VERSION_NUMBER_MAX)
            return false;
        if (n == text.n)
            return i >= 1;
        text = gr_str_skip(text, n + 1);
    }
    return false;
}

/* The numbers at the beginning. */
static struct gr_str numbers_of(struct gr_str version)
{
    size_t n = 0;

    while (n < version.n && (version.p[n] == '.' || (version.p[n] >= '0' && version.p[n] <= '9')))
        n++;
    return gr_str_first(version, n);
}

static bool is_text(const struct gr_yaml_node *node)
{
    return node->kind == GR_YAML_SCALAR &&
           !(node->plain && gr_yaml_plain_type(node->text) != GR_YAML_TEXT);
}

int gr_decode_min_version(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct version version;

    (void)target;
    if (is_text(node) && parse(node->text, &version))
        return 0;
    return gr_decode_refuse(d, node->at, "bad-min-version",
                            "expected a version in quotes, such as \"0.2\" or \"1.2.3\", found %s",
                            gr_decode_describe(node).text);
}

bool gr_needs_later_version(const struct gr_yaml_node *root, struct gr_str version,
                            struct gr_str *out_needed)
{
    const struct gr_yaml_node *node = gr_yaml_get(gr_yaml_get(root, "spec"), "minVersion");
    struct version needed, own;

    if (!gr_yaml_get(root, "apiVersion") || !gr_yaml_get(root, "kind"))
        return false;
    if (!node || !is_text(node) || !parse(node->text, &needed))
        return false;
    *out_needed = node->text;
    if (!parse(numbers_of(version), &own))
        return true;
    for (size_t i = 0; i < NUMBERS; i++) {
        if (needed.numbers[i] != own.numbers[i])
            return needed.numbers[i] > own.numbers[i];
    }
    return false;
}
