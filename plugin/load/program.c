/* SPDX-License-Identifier: Apache-2.0 */
#include "load/program.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "load/elf.h"
#include "load/table.h"
#include "load/walk.h"
#include "rules/tell/engine.h"

#define SCRATCH_BLOCK_BYTES (16U << 10)

/* Linux reads so much of a script's first line (BINPRM_BUF_SIZE). */
#define FIRST_LINE_BYTES 256

/* How much of a name from inside a file is shown. */
#define SHOWN_BYTES 128

/* Of all files of /etc/ld.so.conf.d together; a usual host has a few lines there. */
#define CONF_BYTES_MAX (64U << 10)

struct looker {
    const struct gr_fs *fs;
    const struct gr_reporter *reporter;
    struct gr_arena scratch;
    struct gr_table seen; /* paths */
    struct gr_walk walk;
    struct gr_buf bytes;
    struct gr_buf conf_dirs;      /* of /etc/ld.so.conf.d, with ":" between them */
    const struct gr_hookset *set; /* of the hook that is looked at */
    const struct gr_hook *hook;
};

static void say_of(const struct looker *l, enum gr_level level, struct gr_err *err)
{
    gr_err_at(err, l->set->file.p, l->hook->line, l->hook->column);
    gr_report(l->reporter, level, err);
}

static void warn_of(const struct looker *l, const char *code, const char *format, ...)
    GR_PRINTF(3, 4);

static void warn_of(const struct looker *l, const char *code, const char *format, ...)
{
    struct gr_err err = {0};
    va_list args;

    va_start(args, format);
    gr_err_fill(&err, code, format, args);
    va_end(args);
    say_of(l, GR_LEVEL_WARNING, &err);
}

/* ---- what is on the host ---- */

/* 1 there; 0 not there or not to be seen; -ENOMEM. */
static int is_there(struct looker *l, const char *path)
{
    int rc = gr_walk_to(&l->walk, path, NULL, NULL);

    if (rc == -ENOMEM)
        return rc;
    return rc == 0;
}

static int is_in(struct looker *l, struct gr_str dir, struct gr_str name)
{
    char path[GR_LOAD_PATH_BYTES];
    int n = snprintf(path, sizeof(path), "%.*s/%.*s", GR_STR_FMT(dir), GR_STR_FMT(name));

    if (dir.n == 0 || dir.p[0] != '/' || n < 0 || (size_t)n >= sizeof(path))
        return 0;
    return is_there(l, path);
}

/* In one of several directories with ":" between them. */
static int is_in_any(struct looker *l, struct gr_str dirs, struct gr_str name)
{
    int there = 0;

    while (dirs.n > 0 && there == 0) {
        size_t end = gr_str_find(dirs, ':');

        there = is_in(l, gr_str_first(dirs, end), name);
        dirs = gr_str_skip(dirs, end + 1);
    }
    return there;
}

/* ---- scripts ---- */

static int look_at_interpreter(struct looker *l, struct gr_str text)
{
    struct gr_str line = gr_str_first(text, gr_str_find(text, '\n'));
    struct gr_str path, name;
    char copy[FIRST_LINE_BYTES];
    int there;

    line = gr_str_first(line, FIRST_LINE_BYTES - 1);
    if (line.n > 0 && line.p[line.n - 1] == '\r') {
        warn_of(
            l, "program-line-ends",
            "the script %s has Windows line ends, so its interpreter is not found; convert it with "
            "sed -i 's/\\r$//'",
            l->hook->path.p);
        return 0;
    }
    line = gr_str_skip(line, 2);
    path = gr_str_take_word(&line);
    if (path.n == 0 || path.p[0] != '/') {
        warn_of(l, "program-interpreter",
                "the first line of the script %s names no interpreter by its absolute path; write "
                "#!/bin/sh",
                l->hook->path.p);
        return 0;
    }
    (void)snprintf(copy, sizeof(copy), "%.*s", GR_STR_FMT(path));
    there = is_there(l, copy);
    gr_utf8_make_printable(copy);
    if (there == 0)
        warn_of(
            l, "program-interpreter",
            "the script %s needs the interpreter %s, which is not there on the host; install it",
            l->hook->path.p, copy);
    if (there <= 0 || !gr_str_has_suffix(path, GR_STR("/env")))
        return there < 0 ? there : 0;
    name = gr_str_take_word(&line);
    if (name.n == 0 || name.p[0] == '-' || gr_str_find(name, '=') < name.n)
        return 0;
    there =
        is_in_any(l, GR_STR("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), name);
    (void)snprintf(copy, sizeof(copy), "%.*s", GR_STR_FMT(gr_str_first(name, SHOWN_BYTES)));
    gr_utf8_make_printable(copy);
    if (there == 0)
        warn_of(l, "program-interpreter",
                "the script %s needs %s, which is in no directory of the hooks' PATH; install it",
                l->hook->path.p, copy);
    return there < 0 ? there : 0;
}

static int look_at_script(struct looker *l, struct gr_str text)
{
    const char *called = gr_engine_of_script(text);

    if (called)
        warn_of(
            l, "program-calls-engine",
            "the script %s seems to call %s; the engine waits for this hook while it creates the "
            "container, so asking it may wait for ever, or tell of a container that is not whole "
            "yet; take what is needed from the state on stdin and from the hook's environment",
            l->hook->path.p, called);
    return look_at_interpreter(l, text);
}

/* ---- ELF programs ---- */

/* A file of /etc/ld.so.conf.d: each line that is a directory. gr_fs_entry_fn; what cannot be read
 * is left out. */
static int add_conf(void *user, const char *name, enum gr_fs_type type)
{
    struct looker *l = user;
    struct gr_str text;
    int node = GR_FS_NO_NODE;
    int rc;

    if (type == GR_FS_DIRECTORY || !gr_str_has_suffix(gr_str_from(name), GR_STR(".conf")))
        return 0;
    gr_buf_reset(&l->bytes, CONF_BYTES_MAX);
    rc = gr_fs_open_read(l->fs, gr_walk_top(&l->walk)->node, name, &node);
    if (rc == 0)
        rc = gr_fs_read_all(l->fs, node, &l->bytes);
    gr_fs_close(l->fs, &node);
    for (text = gr_buf_view(&l->bytes); rc == 0 && text.n > 0;) {
        size_t end = gr_str_find(text, '\n');

        if (text.p[0] == '/') {
            rc = gr_buf_str(&l->conf_dirs, gr_str_first(text, end));
            rc = rc ? rc : gr_buf_str(&l->conf_dirs, GR_STR(":"));
        }
        text = gr_str_skip(text, end + 1);
    }
    return rc == -ENOMEM ? rc : 0;
}

static int read_conf_dirs(struct looker *l)
{
    int rc = gr_walk_to(&l->walk, "/etc/ld.so.conf.d", NULL, NULL);

    if (rc == 0)
        rc = gr_walk_enter(&l->walk);
    if (rc == 0)
        rc = l->fs->list(l->fs->user, gr_walk_top(&l->walk)->node, add_conf, l);
    return rc == -ENOMEM ? rc : 0;
}

static const char library_dirs[] =
    "/lib64:/usr/lib64:/lib:/usr/lib:/usr/local/lib:/usr/local/lib64:"
    "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/usr/local/lib/x86_64-linux-gnu:"
    "/lib/aarch64-linux-gnu:/usr/lib/aarch64-linux-gnu:/usr/local/lib/aarch64-linux-gnu";

static int look_at_library(struct looker *l, const struct gr_elf *elf, struct gr_str name)
{
    char shown[SHOWN_BYTES];
    int there;

    /* $ORIGIN is not followed: better no word than a wrong one. */
    if (gr_str_find(name, '/') < name.n || gr_str_find(elf->run_path, '$') < elf->run_path.n)
        return 0;
    there = is_in_any(l, gr_str_from(library_dirs), name);
    if (there == 0)
        there = is_in_any(l, elf->run_path, name);
    if (there == 0)
        there = is_in_any(l, gr_buf_view(&l->conf_dirs), name);
    if (there != 0)
        return there < 0 ? there : 0;
    (void)snprintf(shown, sizeof(shown), "%.*s", GR_STR_FMT(gr_str_first(name, SHOWN_BYTES - 1)));
    gr_utf8_make_printable(shown);
    warn_of(l, "program-library",
            "the program %s needs the library %s, which is in none of the usual directories of the "
            "host; install it, or link the program statically",
            l->hook->path.p, shown);
    return 0;
}

/* False: this node cannot run it. */
static bool look_at_machine(const struct looker *l, const struct gr_elf *elf)
{
    uint16_t own = gr_elf_own_machine();
    struct gr_err err = {0};

    if (own == 0 || elf->machine == own)
        return true;
    if (gr_elf_is_narrow(elf->machine, own)) {
        gr_fail(&err, 0, "program-architecture",
                "the program %s was made for %s, which this node (%s) runs only where its kernel "
                "and processor have the 32-bit mode; install the one for this node if you can",
                l->hook->path.p, gr_elf_machine_name(elf->machine), gr_elf_machine_name(own));
        say_of(l, GR_LEVEL_INFO, &err);
        return true;
    }
    warn_of(l, "program-architecture",
            "the program %s was made for %s, and this node is %s; install the one for this node",
            l->hook->path.p, gr_elf_machine_name(elf->machine), gr_elf_machine_name(own));
    return false;
}

static int look_at_elf(struct looker *l, const struct gr_elf *elf)
{
    char interpreter[GR_LOAD_PATH_BYTES];
    size_t libraries = elf->needed_n;
    int there = 1;

    if (!look_at_machine(l, elf))
        return 0;
    if (elf->machine != gr_elf_own_machine())
        libraries = 0; /* they lie elsewhere */
    if (elf->interpreter.n > 0 && elf->interpreter.n < sizeof(interpreter)) {
        (void)snprintf(interpreter, sizeof(interpreter), "%.*s", GR_STR_FMT(elf->interpreter));
        there = interpreter[0] == '/' ? is_there(l, interpreter) : 0;
        gr_utf8_make_printable(interpreter);
    }
    if (there == 0)
        warn_of(
            l, "program-interpreter",
            "the program %s needs the dynamic loader %.*s, which is not there on the host: it was "
            "built for another C library; link it statically",
            l->hook->path.p, SHOWN_BYTES, interpreter);
    for (size_t i = 0; i < libraries && there > 0; i++) {
        int rc = look_at_library(l, elf, elf->needed[i]);

        if (rc < 0)
            return rc;
    }
    return there < 0 ? there : 0;
}

/* ---- one program ---- */

/* The beginning of the file that the walk reached. Positive: it cannot be read. */
static int read_bytes(struct looker *l)
{
    const struct gr_walk *walk = &l->walk;
    struct gr_fs_meta meta;
    int node = GR_FS_NO_NODE;
    int rc;

    gr_buf_reset(&l->bytes, GR_PROGRAM_BYTES_MAX);
    if (walk->meta.type != GR_FS_REGULAR)
        return 1;
    rc = gr_fs_open_read(l->fs, gr_walk_top(walk)->node, walk->name, &node);
    if (rc == 0)
        rc = l->fs->meta(l->fs->user, node, &meta);
    if (rc == 0 && !gr_fs_same_file(&meta, &walk->meta))
        rc = -ESTALE;
    if (rc == 0)
        rc = gr_fs_read_all(l->fs, node, &l->bytes);
    gr_fs_close(l->fs, &node);
    if (rc == -ENOMEM)
        return rc;
    return rc == 0 || rc == -EMSGSIZE ? 0 : 1;
}

static int look(struct looker *l)
{
    struct gr_elf elf;
    struct gr_str bytes;
    int rc = gr_walk_to(&l->walk, l->hook->path.p, NULL, NULL);

    if (rc == 0)
        rc = read_bytes(l);
    if (rc != 0)
        return rc == -ENOMEM ? rc : 0;
    bytes = gr_buf_view(&l->bytes);
    if (gr_str_has_prefix(bytes, GR_STR("#!")))
        return look_at_script(l, bytes);
    if (gr_elf_read(bytes, &elf))
        return look_at_elf(l, &elf);
    warn_of(l, "program-format",
            "the program %s is neither an ELF program for this kind of machine nor a script whose "
            "first "
            "line begins with #!, so it cannot be run",
            l->hook->path.p);
    return 0;
}

static int look_at_set(struct looker *l, const struct gr_hookset *set)
{
    l->set = set;
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        for (size_t i = 0; i < set->hooks[stage].n && stage != GR_STAGE_START_CONTAINER; i++) {
            int rc;

            l->hook = &set->hooks[stage].items[i];
            if (gr_table_get(&l->seen, l->hook->path))
                continue;
            rc = gr_table_put(&l->seen, l->hook->path, l);
            if (rc == 0)
                rc = look(l);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static int look_at_all(struct looker *l, const struct gr_ruleset *ruleset)
{
    int rc = read_conf_dirs(l);

    for (size_t i = 0; i < gr_ruleset_count(ruleset) && rc == 0; i++) {
        const struct gr_hookset *set = gr_ruleset_at(ruleset, i);

        rc = set->other_node ? 0 : look_at_set(l, set);
    }
    return rc;
}

int gr_programs_check(const struct gr_fs *fs, const char *root, const struct gr_ruleset *ruleset,
                      const struct gr_reporter *reporter)
{
    struct looker *l = calloc(1, sizeof(*l));
    int rc;

    if (!l)
        return -ENOMEM;
    l->fs = fs;
    l->reporter = reporter;
    gr_arena_init(&l->scratch, SCRATCH_BLOCK_BYTES, 0);
    gr_table_init(&l->seen, &l->scratch);
    gr_buf_init(&l->bytes, GR_PROGRAM_BYTES_MAX);
    gr_buf_init(&l->conf_dirs, CONF_BYTES_MAX);
    rc = gr_walk_open(&l->walk, fs, root);
    if (rc == 0)
        rc = look_at_all(l, ruleset);
    else if (rc != -ENOMEM)
        rc = 0; /* load/host has said it */
    gr_walk_close(&l->walk);
    gr_buf_fini(&l->bytes);
    gr_buf_fini(&l->conf_dirs);
    gr_arena_fini(&l->scratch);
    free(l);
    return rc;
}
