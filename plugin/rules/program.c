/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/program.h"

#include "rules/limits.h"
#include "rules/read/strict.h"

static bool is_part_character(char c, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
        return true;
    return !first && (c == '.' || c == '+' || c == '-');
}

bool gr_is_program_part(struct gr_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (!is_part_character(name.p[i], i == 0))
            return false;
    }
    return name.n > 0 && name.n <= GR_ADJUST_NAME_MAX_BYTES;
}

bool gr_is_program_package(struct gr_str name)
{
    return name.n <= GR_LABEL_MAX_BYTES && gr_str_find(name, '.') == name.n &&
           gr_is_dns_subdomain(name);
}

bool gr_program_parse(struct gr_str text, struct gr_program_ref *out_ref)
{
    size_t slash = gr_str_find(text, '/');
    struct gr_program_ref ref = {.package = gr_str_first(text, slash),
                                 .file = gr_str_skip(text, slash + 1)};
    struct gr_str rest = ref.file;
    size_t depth = 0;

    if (slash == text.n || !gr_is_program_package(ref.package))
        return false;
    for (;;) {
        size_t n = gr_str_find(rest, '/');

        if (++depth > GR_PROGRAM_DEPTH_MAX || !gr_is_program_part(gr_str_first(rest, n)))
            return false;
        if (n == rest.n)
            break;
        rest = gr_str_skip(rest, n + 1);
    }
    *out_ref = ref;
    return true;
}
