/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives every file of the folders that are named to the fuzz target that this is linked with, in
 * the order of their names, and prints a line of TAP for each. What a target finds wrong ends the
 * program, and the lines say at which file. Needs no fuzzer, so that every build has these as
 * ordinary tests.
 */
#include <dirent.h>
#include <errno.h>

#include "fuzz.h"

static int is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool read_file(const char *path, struct gr_buf *out)
{
    FILE *file = fopen(path, "rb");
    char part[4096];
    size_t n;
    bool good;

    if (!file)
        return false;
    while ((n = fread(part, 1, sizeof(part), file)) > 0)
        FUZZ_CHECK(gr_buf_add(out, part, n) == 0);
    good = !ferror(file);
    (void)fclose(file);
    return good;
}

/* One file; number is its place in the plan. */
static void replay(const char *dir, const char *name, int number)
{
    struct gr_buf path, text;
    char *exact;

    gr_buf_init(&path, 1U << 16);
    gr_buf_init(&text, 1U << 26);
    FUZZ_CHECK(gr_buf_printf(&path, "%s/%s", dir, name) == 0 && gr_buf_add(&path, "", 1) == 0);
    (void)printf("# %s\n", name);
    (void)fflush(stdout); /* stands there also when the target aborts */
    if (!read_file((const char *)path.data, &text)) {
        (void)printf("not ok %d - %s: %s\n", number, name, strerror(errno));
        exit(1);
    }
    exact = fuzz_exact(gr_buf_view(&text));
    (void)LLVMFuzzerTestOneInput((const uint8_t *)exact, text.len);
    (void)printf("ok %d - %s\n", number, name);
    free(exact);
    gr_buf_fini(&text);
    gr_buf_fini(&path);
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int n = argc == 2 ? scandir(argv[1], &entries, is_seed, alphasort) : -1;

    /* An empty folder would be a test that cannot fail. */
    if (n <= 0) {
        (void)fprintf(stderr, "expected one folder with inputs\n");
        return 1;
    }
    (void)printf("1..%d\n", n);
    for (int i = 0; i < n; i++) {
        replay(argv[1], entries[i]->d_name, i + 1);
        free(entries[i]);
    }
    free(entries);
    return 0;
}
