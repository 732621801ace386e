/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the table that the Go program beside this file writes and says where rules/regex differs:
 * in what is accepted, and in what matches, as a whole and somewhere. What is known of every match
 * (the literals) is checked on the way. Exit: 0 no difference, 1 some, 2 the table is broken.
 */
#include <errno.h>
#include <stdio.h>

#include "rules/limits.h"
#include "rules/pattern/regex.h"

#define LINE_MAX_BYTES 65536
#define SHOWN_MAX 40

/* Random expressions may need more than a budget (which is an error, not another answer), but not
 * more than one text in so many. */
#define UNFINISHED_SHARE 1000

struct table {
    struct gr_arena arena; /* of the pattern */
    char pattern[LINE_MAX_BYTES];
    const struct gr_regex *full;
    const struct gr_regex *search;
    size_t patterns, accepted, texts, unfinished, differences;
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; false when it is no hexadecimal text. */
static bool decode(char *hex, struct gr_str *out)
{
    size_t n = strlen(hex);

    if (strcmp(hex, "-") == 0)
        n = 0;
    for (size_t i = 0; i + 1 < n; i += 2) {
        if (hex_value(hex[i]) < 0 || hex_value(hex[i + 1]) < 0)
            return false;
        hex[i / 2] = (char)(hex_value(hex[i]) * 16 + hex_value(hex[i + 1]));
    }
    *out = (struct gr_str){hex, n / 2};
    return n % 2 == 0;
}

static void print_text(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c >= ' ' && c < 0x7F)
            printf("%c", c);
        else
            printf("<%02x>", c);
    }
}

static void differ(struct table *table, struct gr_str pattern, struct gr_str text, const char *what)
{
    if (table->differences++ >= SHOWN_MAX)
        return;
    printf("%s: pattern [", what);
    print_text(pattern);
    printf("] text [");
    print_text(text);
    printf("]\n");
}

static bool compile(struct table *table, struct gr_str pattern, bool go_accepts)
{
    struct gr_err err = {0};
    int full = gr_regex_compile(&table->arena, pattern, false, &table->full, &err);
    int search = gr_regex_compile(&table->arena, pattern, true, &table->search, NULL);

    if (full != 0 && full != -EINVAL)
        return false;
    if (full != search)
        differ(table, pattern, GR_STR_NONE, "search is compiled otherwise");
    if ((full == 0) != go_accepts)
        differ(table, pattern, gr_str_from(err.text),
               go_accepts ? "Go accepts this" : "Go refuses this");
    if (full != 0 || search != 0) {
        table->full = NULL;
        table->search = NULL;
    }
    return true;
}

static bool has_exact(const struct gr_regex_literals *literals, struct gr_str text)
{
    for (size_t i = 0; i < literals->exacts_n; i++) {
        if (gr_str_eq(literals->exacts[i], text))
            return true;
    }
    return literals->exacts_n == 0;
}

static void check(struct table *table, struct gr_str pattern, const struct gr_regex *regex,
                  struct gr_str text, bool go_matches, const char *what)
{
    const struct gr_regex_literals *literals = gr_regex_literals(regex);
    uint64_t steps = GR_MATCH_STEPS_MAX;
    enum gr_truth truth = gr_regex_match(regex, text, &steps);

    if (truth == GR_ERROR && steps == 0)
        table->unfinished++;
    else if (truth != (go_matches ? GR_TRUE : GR_FALSE))
        differ(table, pattern, text, what);
    if (!go_matches)
        return;
    if (!has_exact(literals, text) || !gr_str_has_prefix(text, literals->prefix) ||
        !gr_str_has_suffix(text, literals->suffix) ||
        (literals->inner.n > 0 && !memmem(text.p, text.n, literals->inner.p, literals->inner.n)))
        differ(table, pattern, text, "literals that a match lacks");
}

static bool read_pattern(struct table *table, char *hex, bool go_accepts, struct gr_str *pattern)
{
    gr_arena_fini(&table->arena);
    gr_arena_init(&table->arena, 4096, 0);
    (void)snprintf(table->pattern, sizeof(table->pattern), "%s", hex);
    table->patterns++;
    table->accepted += go_accepts;
    return decode(table->pattern, pattern) && compile(table, *pattern, go_accepts);
}

static bool read_table(struct table *table)
{
    static char line[LINE_MAX_BYTES];
    static char hex[LINE_MAX_BYTES];
    struct gr_str pattern = GR_STR_NONE;

    while (fgets(line, sizeof(line), stdin)) {
        struct gr_str text;
        char kind;
        char first;
        char second = '0';
        int n = sscanf(line, "%c %65535s %c %c", &kind, hex, &first, &second);

        if (n == 3 && kind == 'P') {
            if (!read_pattern(table, hex, first == '1', &pattern))
                return false;
            continue;
        }
        if (n != 4 || kind != 'T' || !decode(hex, &text))
            return false;
        table->texts++;
        if (!table->full)
            continue;
        check(table, pattern, table->full, text, first == '1', "as a whole");
        check(table, pattern, table->search, text, second == '1', "somewhere");
    }
    return true;
}

int main(void)
{
    static struct table table;
    bool good = read_table(&table);

    gr_arena_fini(&table.arena);
    if (!good) {
        (void)fprintf(stderr, "the table is broken, or memory is\n");
        return 2;
    }
    printf("%zu patterns, %zu of them accepted, %zu texts: %zu differences, %zu unfinished\n",
           table.patterns, table.accepted, table.texts, table.differences, table.unfinished);
    return table.differences || table.unfinished * UNFINISHED_SHARE > table.texts ? 1 : 0;
}
