/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text that is read as HookSets: each set is written, what was written is read, and it is the
 * same set; writing it once more gives the same text.
 */
#include "fuzz.h"

#include "rules/read/decode.h"
#include "rules/limits.h"
#include "rules/write/write.h"
#include "same.h"

#define HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: a}\nspec:\n"
#define HOOKS "\n  hooks: {poststop: [{path: /x}]}\n"

static const struct frame {
    const char *before;
    const char *after;
} frames[] = {
    {"", ""},
    {HEAD "  match: ", HOOKS},
    {HEAD "  match: {podName: [\"", "\"]}" HOOKS},
    {HEAD "  match: {podLabels: {", "}}" HOOKS},
    {HEAD "  match: {always: true}\n  hooks:\n    poststop:\n      - path: /x\n        ", "\n"},
    {HEAD "  match: {always: true}\n  hooks: {poststop: [{path: /x, args: [x, \"", "\"]}]}\n"},
    {HEAD "  match: {always: true}\n  adjust: ", "\n"},
};

static void check_set(const struct gr_hookset *set)
{
    struct gr_source source = {.file = "w.yaml", .stem = GR_STR("w")};
    struct gr_hooksets again = {0};
    struct gr_buf text, twice;
    struct gr_arena arena;
    int r;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&text, 16U << 20);
    gr_buf_init(&twice, 16U << 20);
    r = gr_hookset_write(set, &text);
    if (r == 0 && text.len <= GR_YAML_FILE_MAX_BYTES) {
        source.text = gr_buf_view(&text);
        FUZZ_CHECK(gr_hooksets_decode(&arena, &source, NULL, &again) == 0);
        FUZZ_CHECK(again.n == 1 && again.rejected == 0);
        FUZZ_CHECK(set_difference(set, &again.items[0]) == NULL);
        FUZZ_CHECK(gr_hookset_write(&again.items[0], &twice) == 0);
        FUZZ_CHECK(gr_str_eq(gr_buf_view(&text), gr_buf_view(&twice)));
    }
    FUZZ_CHECK(r == 0 || set->blocked.n > 0);
    gr_buf_fini(&text);
    gr_buf_fini(&twice);
    gr_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    const struct frame *frame = &frames[fuzz_take(&input, 1) % GR_ARRAY_LEN(frames)];
    struct gr_source source = {.file = "f.yaml", .stem = GR_STR("f")};
    struct gr_hooksets sets = {0};
    struct gr_arena arena;
    struct gr_buf text;

    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&text, 1U << 22);
    FUZZ_CHECK(gr_buf_text(&text, frame->before) == 0 && gr_buf_str(&text, input) == 0 &&
               gr_buf_text(&text, frame->after) == 0);
    source.text = gr_buf_view(&text);
    FUZZ_CHECK(gr_hooksets_decode(&arena, &source, NULL, &sets) == 0);
    for (size_t i = 0; i < sets.n; i++)
        check_set(&sets.items[i]);
    gr_buf_fini(&text);
    gr_arena_fini(&arena);
    return 0;
}
