/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/convert/convert: hooks of other formats as HookSets.
 *
 * Layer: app. All or nothing: when one file is refused, nothing is printed or written.
 */
#include "app/cli/convert/convert.h"

#include <stdio.h>

#include "app/cli/verbs.h"
#include "app/exit.h"
#include "rules/read/strict.h"

static const char help[] =
    "Usage: grapnel convert [OPTION]... FILE|DIR...\n"
    "\n"
    "Writes hooks of other formats as HookSets:\n"
    "  oci-hooks(5) JSON, 1.0.0 and 0.1.0  each file a set; a DIR holds such files, later ones\n"
    "                                      mask those of the same name in earlier ones\n"
    "  docker and iSulad --hook-spec files, hooks.json, a config.json\n"
    "                                      all together one set for every container, the first\n"
    "                                      file's hooks first: name the daemon's default first\n"
    "  config.toml of the Container Hooks Toolkit\n"
    "                                      the hooks.json that it names\n"
    "Everything that means something else afterwards is a warning. Nothing is written when one\n"
    "file is refused.\n"
    "\n"
    "  --name NAME         the set's name, where there is one set (default: from the file's name)\n"
    "  --out DIR           write each set into a file of DIR instead of all to stdout\n"
    "  --force             overwrite files in DIR\n"
    "  --kind KIND         what the files are: oci-hooks, hook-spec or toolkit (default: told by\n"
    "                      their content)\n"
    "  -h, --help          this text\n"
    "\n"
    "Exit codes: 0 written, perhaps with warnings, 1 a file was refused, 2 usage, 4 a file cannot\n"
    "be read or written.\n"
    "\n"
    "Examples:\n"
    "  grapnel convert /usr/share/containers/oci/hooks.d /etc/containers/oci/hooks.d > all.yaml\n"
    "  grapnel convert --out /etc/grapnel/hooks.d /etc/containers/oci/hooks.d\n"
    "  grapnel convert --name docker-default /etc/docker/hookspec.json\n"
    "  grapnel convert /etc/container-hooks/config.toml\n";

enum { OPT_NAME = GR_OPT_OWN, OPT_OUT, OPT_FORCE, OPT_KIND };

const struct option gr_options_convert[] = {
    {"name", required_argument, NULL, OPT_NAME},
    {"out", required_argument, NULL, OPT_OUT},
    {"force", no_argument, NULL, OPT_FORCE},
    {"kind", required_argument, NULL, OPT_KIND},
    {"help", no_argument, NULL, 'h'},
    {0},
};

int gr_convert_no_memory(void)
{
    (void)fputs("grapnel convert: no memory\n", stderr);
    return GR_EXIT_FAILED;
}

/* What the readers only mention changes what somebody converts. */
static void report(void *user, enum gr_level level, const struct gr_err *err)
{
    struct gr_convert *c = user;
    struct gr_reporter print = gr_print_findings(&c->printed);

    gr_report(&print, level == GR_LEVEL_INFO ? GR_LEVEL_WARNING : level, err);
}

static int take_kind(struct gr_convert *c, const char *value)
{
    static const char *const words[] = {
        [GR_CONVERT_OCI_HOOKS] = "oci-hooks",
        [GR_CONVERT_HOOK_SPEC] = "hook-spec",
        [GR_CONVERT_TOOLKIT] = "toolkit",
    };

    for (size_t i = GR_CONVERT_OCI_HOOKS; i < GR_ARRAY_LEN(words); i++) {
        if (strcmp(value, words[i]) == 0) {
            c->kind = (enum gr_convert_kind)i;
            return GR_EXIT_OK;
        }
    }
    return gr_usage("convert", "--kind oci-hooks, hook-spec or toolkit", value);
}

static int take(void *user, int option, const char *value)
{
    struct gr_convert *c = user;

    switch (option) {
    case OPT_NAME:
        if (!gr_is_dns_subdomain(gr_str_from(value)))
            return gr_usage("convert",
                            "--name of lower-case letters, digits, - and ., beginning and ending "
                            "with a letter or digit",
                            value);
        c->name = value;
        return GR_EXIT_OK;
    case OPT_OUT:
        c->out_dir = value;
        return value[0] ? GR_EXIT_OK : gr_usage("convert", "--out with a directory", value);
    case OPT_FORCE:
        c->force = true;
        return GR_EXIT_OK;
    case OPT_KIND:
        return take_kind(c, value);
    default: /* getopt_long has said what is wrong */
        (void)fputs("See grapnel convert --help.\n", stderr);
        return GR_EXIT_USAGE;
    }
}

static int parse(struct gr_convert *c, int argc, char **argv)
{
    static const struct gr_command_line line = {.verb = "convert",
                                                .help = help,
                                                .letters = "h",
                                                .options = gr_options_convert,
                                                .take = take};
    int r = gr_parse_options(&line, argc, argv, c);

    if (r == GR_EXIT_OK && optind == argc)
        r = gr_usage("convert", "at least one file or directory", "nothing");
    for (; optind < argc && r == GR_EXIT_OK; optind++)
        r = gr_convert_add(c, argv[optind]);
    return r;
}

static int add_sets(struct gr_convert *c, const struct gr_hooksets *sets)
{
    for (size_t i = 0; i < sets->n; i++)
        c->sets[c->sets_n++] = sets->items[i];
    return GR_EXIT_OK;
}

static int decode_oci_hooks(struct gr_convert *c)
{
    for (size_t i = 0; i < c->inputs_n; i++) {
        struct gr_hooksets sets = {0};

        if (c->inputs[i].kind != GR_FOREIGN_OCI_HOOKS)
            continue;
        if (gr_ocihooks_decode(&c->arena, &c->inputs[i].source, &c->reporter, &sets) != 0)
            return gr_convert_no_memory();
        (void)add_sets(c, &sets);
    }
    return GR_EXIT_OK;
}

static int by_order(const void *a, const void *b)
{
    return gr_hookset_cmp(a, b);
}

/* All bare hooks are one set, behind the others. */
static int decode_hook_specs(struct gr_convert *c)
{
    struct gr_source *sources = gr_arena_array(&c->arena, c->inputs_n, sizeof(*sources));
    struct gr_str name = gr_str_from(c->name);
    struct gr_hooksets sets = {0};
    size_t n = 0;

    if (!sources)
        return gr_convert_no_memory();
    for (size_t i = 0; i < c->inputs_n; i++) {
        if (c->inputs[i].kind == GR_FOREIGN_HOOK_SPEC)
            sources[n++] = c->inputs[i].source;
    }
    if (n > 0 && !c->name && gr_ocihooks_name(&c->arena, sources[0].stem, &name) < 0)
        return gr_convert_no_memory();
    if (n > 0 && gr_hookspecs_decode(&c->arena, sources, n, name, true, &c->reporter, &sets) != 0)
        return gr_convert_no_memory();
    return add_sets(c, &sets);
}

/* The loader would refuse the second one. */
static void check_names(struct gr_convert *c)
{
    for (size_t i = 0; i < c->sets_n; i++) {
        for (size_t k = 0; k < i; k++) {
            struct gr_err err = {0};

            if (!gr_str_eq(c->sets[i].name, c->sets[k].name))
                continue;
            gr_fail(&err, 0, "duplicate-name",
                    "the set's name would be \"%s\", as that of %s; rename one of the files",
                    c->sets[i].name.p, c->sets[k].file.p);
            gr_err_at(&err, c->sets[i].file.p, 1, 1);
            gr_report(&c->reporter, GR_LEVEL_ERROR, &err);
        }
    }
}

static int name_set(struct gr_convert *c)
{
    if (!c->name)
        return GR_EXIT_OK;
    if (c->sets_n > 1)
        return gr_usage("convert", "no --name, since there are several sets", c->name);
    for (size_t i = 0; i < c->sets_n; i++)
        c->sets[i].name = gr_str_from(c->name);
    return GR_EXIT_OK;
}

static int decode(struct gr_convert *c)
{
    int r;

    c->sets = gr_arena_array(&c->arena, c->inputs_n + 1, sizeof(*c->sets));
    if (!c->sets)
        return gr_convert_no_memory();
    r = decode_oci_hooks(c);
    if (r == GR_EXIT_OK && c->sets_n > 1)
        qsort(c->sets, c->sets_n, sizeof(*c->sets), by_order);
    if (r == GR_EXIT_OK)
        r = decode_hook_specs(c);
    if (r == GR_EXIT_OK)
        r = name_set(c);
    if (r == GR_EXIT_OK)
        check_names(c);
    return r;
}

int gr_verb_convert(int argc, char **argv)
{
    struct gr_convert c = {0};
    int r;

    gr_arena_init(&c.arena, 64U << 10, 0);
    c.reporter = (struct gr_reporter){.report = report, .user = &c};
    r = parse(&c, argc, argv);
    if (r == GR_EXIT_OK)
        r = decode(&c);
    if (r == GR_EXIT_OK && c.printed.errors > 0) {
        (void)fputs("grapnel convert: nothing was written\n", stderr);
        r = GR_EXIT_FAILED;
    }
    if (r == GR_EXIT_OK)
        r = c.out_dir ? gr_convert_write(&c) : gr_convert_print(&c);
    gr_arena_fini(&c.arena);
    return r < 0 ? GR_EXIT_OK : r;
}
