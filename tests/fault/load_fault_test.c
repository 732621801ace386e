/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading with each of its allocations failing: -ENOMEM and nothing given, no leak, no open
 * descriptor, and no last good text lost.
 */
#include "failing.h"
#include "load/loading.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct gr_fs fs;
static char dirs[4][64]; /* rules, broken rules, last good, oci-hooks */
static char top[48];

static void make(const char *dir, const char *name, const char *text)
{
    char path[160];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

static void begin(void)
{
    (void)snprintf(top, sizeof(top), "/tmp/grapnel-fault-XXXXXX");
    assert_non_null(mkdtemp(top));
    (void)snprintf(dirs[0], sizeof(dirs[0]), "%s/rules", top);
    (void)snprintf(dirs[1], sizeof(dirs[1]), "%s/broken", top);
    (void)snprintf(dirs[2], sizeof(dirs[2]), "%s/last-good", top);
    (void)snprintf(dirs[3], sizeof(dirs[3]), "%s/oci", top);
    for (size_t i = 0; i < GR_ARRAY_LEN(dirs); i++)
        assert_int_equal(mkdir(dirs[i], i == 2 ? 0700 : 0755), 0);
    gr_fs_posix(&fs);
}

static void empty_dir(const char *dir)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;

    assert_non_null(stream);
    while ((entry = readdir(stream))) {
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        (void)unlink(path);
    }
    closedir(stream);
}

static void end(void)
{
    for (size_t i = 0; i < GR_ARRAY_LEN(dirs); i++) {
        empty_dir(dirs[i]);
        (void)rmdir(dirs[i]);
    }
    (void)rmdir(top);
}

static size_t count_dir(const char *dir)
{
    DIR *stream = opendir(dir);
    size_t n = 0;

    assert_non_null(stream);
    while (readdir(stream))
        n++;
    closedir(stream);
    return n;
}

/* Read as the policy file and as what Configure carries. */
#define POLICY                                                                            \
    "apiVersion: grapnel/v1beta1\nkind: Policy\nspec:\n  programs: {directories: [/bin, " \
    "/usr/bin, /usr/lib]}\n  timeout: {default: 7}\n  stages: [createRuntime, poststart]\n"

static int load_once(void *user)
{
    const char *const paths[] = {dirs[0], dirs[1]};
    const char *const oci_paths[] = {dirs[3]};
    char policy[160];
    const struct gr_load_options options = {
        .fs = &fs,
        .dirs = paths,
        .dirs_n = GR_ARRAY_LEN(paths),
        .oci_dirs = oci_paths,
        .oci_dirs_n = GR_ARRAY_LEN(oci_paths),
        .policy = {.path = policy, .configure_text = GR_STR(POLICY "---\nkind: Policy\n")},
        .environment = GR_STR("e"),
        .host_root = "/",
        .programs_dir = dirs[0],
        .last_good_dir = user ? dirs[2] : NULL,
        .node_name = GR_STR("n"),
        .check_host = true,
    };
    struct gr_load_result result = {0};
    int rc;

    (void)snprintf(policy, sizeof(policy), "%s/policy.yaml", dirs[3]);
    rc = gr_load(&options, NULL, &result);
    /* Whatever happened to memory: never more sets in force than the policies allow. */
    if (rc == 0 && result.blocked != result.sets)
        rc = -EINVAL;
    if (rc != 0 && result.ruleset)
        return -EINVAL;
    gr_ruleset_unref(result.ruleset);
    return rc;
}

static void good_files(void)
{
    make(dirs[0], "a.yaml", SET_WITH("a", "", "/bin/sh") "---\n" SET_WITH("b", "", "/bin/none"));
    make(dirs[0], "b.yaml", SET("b"));
    make(dirs[0], "c.yaml", SET("c"));
    make(dirs[0], "f.yaml",
         "apiVersion: grapnel/v1beta1\nkind: HookSet\nspec:\n  match: {always: true}\n"
         "  hooks: {poststop: [{path: /bin/sh}, {program: net/setup}]}\n");
    make(dirs[1], "d.yaml", SET("d"));
    make(dirs[3], "policy.yaml", POLICY);
    make(
        dirs[3], "e.json",
        "{\"version\": \"1.0.0\", \"hook\": {\"path\": \"/bin/sh\"}, \"when\": {\"always\": true}, "
        "\"stages\": [\"poststop\"]}");
}

static void test_without_last_good(void **state)
{
    (void)state;
    begin();
    good_files();
    make(dirs[0], "e.yaml", SET_BAD);
    failing_run(load_once, NULL);
    end();
}

static void test_with_last_good(void **state)
{
    size_t fds;
    size_t kept;

    (void)state;
    begin();
    good_files();
    assert_int_equal(load_once(top), 0);
    kept = count_dir(dirs[2]);
    assert_true(kept > 3);

    /* One file is bad now, and one directory is broken. */
    make(dirs[0], "c.yaml", SET_BAD);
    assert_int_equal(chmod(dirs[1], 0777), 0);
    fds = count_dir("/proc/self/fd");
    failing_run(load_once, top);
    assert_int_equal(count_dir("/proc/self/fd"), fds);
    assert_int_equal(count_dir(dirs[2]), kept);
    end();
}

/* Another text each time, written without an allocation. */
static int save_another(void *user)
{
    static int turn;
    char path[160];
    char text[512];
    int n = snprintf(text, sizeof(text), SET("c") "# %d\n", turn++);
    int fd;

    (void)snprintf(path, sizeof(path), "%s/c.yaml", dirs[0]);
    fd = open(path, O_WRONLY | O_TRUNC);
    if (fd < 0 || write(fd, text, (size_t)n) != n || close(fd) != 0)
        return -EIO;
    return load_once(user);
}

static void test_saving(void **state)
{
    (void)state;
    begin();
    good_files();
    failing_run(save_another, top);
    end();
}

int main(void)
{
    test_add("without last good texts", test_without_last_good);
    test_add("with last good texts", test_with_last_good);
    test_add("saving", test_saving);
    return test_run("load/fault");
}
