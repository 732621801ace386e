/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "app/simulate/simulate.h"
#include "app/cli/shared/text_file.h"
#include "app/exit.h"
#include "rules/decide/decide.h"
#include "rules/limits.h"
#include "rules/read/strict.h"

int gr_sim_read(struct gr_arena *arena, const char *path, size_t max, struct gr_str *out_text)
{
    return gr_read_text("simulate", path, max, arena, out_text);
}

static int set_text(json_t *spec, const char *key, const char *text)
{
    if (json_object_set_new(spec, key, json_string(text)) == 0)
        return 0;
    (void)fprintf(stderr, "grapnel simulate: expected UTF-8 text as %s, found \"%s\"\n", key, text);
    return -EINVAL;
}

/* The plugin runs in our working directory, but its settings take absolute paths only. */
static int set_dirs(json_t *spec, const char *key, const char *option, const char *const *from,
                    size_t n)
{
    json_t *dirs = json_array();

    for (size_t i = 0; i < n; i++) {
        char path[PATH_MAX];

        errno = EILSEQ; /* for a path that JSON cannot hold */
        if (realpath(from[i], path) && json_array_append_new(dirs, json_string(path)) == 0)
            continue;
        (void)fprintf(stderr, "grapnel simulate: --%s %s cannot be used: %s\n", option, from[i],
                      strerror(errno));
        json_decref(dirs);
        return -EINVAL;
    }
    return json_object_set_new(spec, key, dirs);
}

/*
 * A settings document with what was given on the command line; JSON is YAML. Last good texts, the
 * run directory and the control socket are kept out of it: the node's own must not change because
 * somebody simulates, and what is paused there is no matter of the rules.
 */
static json_t *make_document(const struct gr_common *common)
{
    const struct gr_config *config = &common->flags.config;
    json_t *spec = json_pack("{s:s, s:s, s:s}", "lastGoodDir", "none", "runDir", "none",
                             "controlSocket", "none");
    int r = 0;

    if (config->origins[GR_SETTING_HOOKS_DIRS].has)
        r = set_dirs(spec, "hooksDirs", "hooks-dir", config->hooks_dirs, config->hooks_dirs_n);
    if (r == 0 && config->origins[GR_SETTING_OCI_HOOKS_DIRS].has)
        r = set_dirs(spec, "ociHooksDirs", "oci-hooks-dir", config->oci_hooks_dirs,
                     config->oci_hooks_dirs_n);
    if (r == 0 && config->origins[GR_SETTING_HOST_ROOT].has)
        r = set_text(spec, "hostRoot", config->host_root);
    if (r == 0 && config->origins[GR_SETTING_PROGRAMS_DIR].has)
        r = set_text(spec, "programsDir", config->programs_dir[0] ? config->programs_dir : "none");
    if (r == 0 && config->origins[GR_SETTING_NODE_NAME].has)
        r = set_text(spec, "nodeName", config->node_name);
    if (r) {
        json_decref(spec);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:o}", "apiVersion", GR_API_VERSION, "kind", "Config", "spec",
                     spec);
}

/* A policy goes the way that policies of a cluster go: behind the settings, in Configure. */
static int add_policy(struct gr_sim *sim)
{
    const char *path = sim->options.common.flags.policy_path;
    const struct gr_str divider = GR_STR("\n---\n");
    struct gr_str policy = GR_STR_NONE;
    char *text;
    int r = path ? gr_sim_read(&sim->arena, path, GR_YAML_FILE_MAX_BYTES, &policy) : GR_EXIT_OK;

    if (!path || r != GR_EXIT_OK)
        return r;
    text = gr_arena_alloc(&sim->arena, sim->config.n + divider.n + policy.n + 1);
    if (!text)
        return gr_sim_no_memory();
    memcpy(text, sim->config.p, sim->config.n);
    memcpy(text + sim->config.n, divider.p, divider.n);
    if (policy.n > 0)
        memcpy(text + sim->config.n + divider.n, policy.p, policy.n);
    sim->config = (struct gr_str){.p = text, .n = sim->config.n + divider.n + policy.n};
    return GR_EXIT_OK;
}

static int make_settings(struct gr_sim *sim)
{
    const struct gr_flags *flags = &sim->options.common.flags;
    json_t *document;
    char *text;
    int r = GR_EXIT_OK;

    if (flags->config_path)
        return gr_sim_read(&sim->arena, flags->config_path, GR_YAML_FILE_MAX_BYTES, &sim->config);
    document = make_document(&sim->options.common);
    if (!document)
        return GR_EXIT_HOST;
    text = json_dumps(document, JSON_COMPACT);
    if (!text || !gr_arena_str(&sim->arena, gr_str_from(text), &sim->config))
        r = gr_sim_no_memory();
    free(text);
    json_decref(document);
    return r;
}

int gr_sim_make_config(struct gr_sim *sim)
{
    int r = make_settings(sim);

    return r == GR_EXIT_OK ? add_policy(sim) : r;
}

static bool gives_no_hook(enum gr_verdict verdict)
{
    return verdict == GR_VERDICT_OBSERVED || verdict == GR_VERDICT_SKIPPED ||
           verdict == GR_VERDICT_IGNORED;
}

/* It adjusts and no more. */
static bool is_without_hooks(const struct gr_hookset *set)
{
    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        if (set->hooks[stage].n > 0)
            return false;
    }
    return true;
}

static bool add_other(struct gr_arena *arena, struct gr_sim_container *c, struct gr_str set,
                      enum gr_verdict verdict, struct gr_str reason)
{
    struct gr_sim_other *other = &c->others[c->others_n];

    other->verdict = gr_verdict_name(verdict);
    if (!gr_arena_str(arena, set, &other->set) || !gr_arena_str(arena, reason, &other->reason))
        return false;
    c->others_n++;
    return true;
}

static bool add_others(struct gr_arena *arena, struct gr_sim_container *c,
                       const struct gr_decision *decision)
{
    bool fine = true;

    for (size_t i = 0; i < decision->results_n && fine; i++) {
        const struct gr_set_result *result = &decision->results[i];

        if (gives_no_hook(result->verdict) ||
            (result->verdict == GR_VERDICT_INJECTED && is_without_hooks(result->set)))
            fine = add_other(arena, c, result->set->name, result->verdict, result->reason);
    }
    for (size_t i = 0; i < decision->objections_n && fine; i++) {
        const struct gr_objection *objection = &decision->objections[i];

        if (gives_no_hook(objection->verdict))
            fine = add_other(arena, c, objection->set, objection->verdict, objection->reason);
    }
    return fine;
}

/* Decides about a container as the plugin will and keeps what its answer does not show. */
static bool find_others(struct gr_sim *sim, struct gr_sim_container *c,
                        const struct gr_loaded *loaded)
{
    const struct gr_decide_options options = gr_settings_decide_options(&loaded->settings);
    struct gr_subject subject = c->subject;
    struct gr_decision decision;

    (void)gr_image_parse(c->image, &subject.image);
    if (gr_decide(loaded->load.ruleset, &subject, &options, &sim->arena, &decision) != 0)
        return false;
    c->others =
        gr_arena_array(&sim->arena, decision.results_n + decision.objections_n, sizeof(*c->others));
    return c->others && add_others(&sim->arena, c, &decision);
}

int gr_sim_check_rules(struct gr_sim *sim)
{
    const struct gr_common common = {.verb = "simulate"};
    struct gr_printed printed = {0};
    struct gr_reporter reporter = gr_print_findings(&printed);
    struct gr_loaded loaded;
    int r = gr_common_load(&common, sim->config, true, &reporter, &loaded);

    if (r != GR_EXIT_OK)
        return r;
    if (loaded.load.sets == 0)
        (void)fprintf(stderr, "grapnel simulate: the plugin will find no rules%s\n",
                      printed.errors ? "" : "; --hooks-dir says where they are");
    for (size_t i = 0; i < sim->containers_n && r == GR_EXIT_OK; i++) {
        if (!find_others(sim, &sim->containers[i], &loaded))
            r = gr_sim_no_memory();
    }
    gr_common_unload(&loaded);
    return r;
}
