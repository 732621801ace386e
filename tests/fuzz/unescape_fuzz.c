/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes with JSON's escapes undone: never longer, and nothing outside of them is touched. What
 * was quoted before comes out as it was.
 */
#include "fuzz.h"

#include "base/json.h"
#include "base/utf8.h"

static void check_any(struct gr_str text)
{
    char *copy = fuzz_exact(text);
    size_t n = gr_json_unescape(copy, text.n);

    FUZZ_CHECK(n <= text.n);
    FUZZ_CHECK(n == text.n || gr_str_find(text, '\\') < text.n);
    free(copy);
}

static void check_quoted(struct gr_str text)
{
    struct gr_buf quoted;

    gr_buf_init(&quoted, 6 * text.n + 2);
    FUZZ_CHECK(gr_json_quote(&quoted, text) == 0);
    quoted.len = gr_json_unescape((char *)quoted.data, quoted.len);
    FUZZ_CHECK(quoted.len == text.n + 2);
    FUZZ_CHECK(text.n == 0 || memcmp(quoted.data + 1, text.p, text.n) == 0);
    gr_buf_fini(&quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gr_str text = {.p = (const char *)data, .n = size};

    check_any(text);
    if (gr_utf8_is_valid(text))
        check_quoted(text);
    return 0;
}
