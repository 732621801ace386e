/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rules_json.h"

#include "app/json.h"
#include "rules/adjust.h"

static const char *const format_names[] = {
    [GR_FORMAT_HOOKSET] = "HookSet",
    [GR_FORMAT_OCI_HOOKS] = "oci-hooks",
    [GR_FORMAT_HOOK_SPEC] = "hook-spec",
};

struct names {
    const char *name;
    const char *words;
};

static const struct names set_states[] = {
    [GR_SET_IN_FORCE] = {"inForce", "in force"},
    [GR_SET_OBSERVE] = {"observe", "observe"},
    [GR_SET_OTHER_NODE] = {"otherNode", "other node"},
    [GR_SET_BLOCKED] = {"blocked", "BLOCKED"},
};

static const struct names file_states[] = {
    [GR_FILE_LOADED] = {"loaded", "loaded"},
    [GR_FILE_MASKED] = {"masked", "masked by"},
    [GR_FILE_DISABLED] = {"disabled", "disabled: empty, or a link to /dev/null"},
    [GR_FILE_REJECTED] = {"rejected", "REJECTED, not in force"},
    [GR_FILE_LAST_GOOD] = {"lastGood", "REJECTED, the text that was accepted last is in force"},
};

enum gr_set_state gr_set_state(const struct gr_hookset *set)
{
    if (set->other_node)
        return GR_SET_OTHER_NODE;
    if (set->blocked.n > 0)
        return GR_SET_BLOCKED;
    return set->mode == GR_MODE_OBSERVE ? GR_SET_OBSERVE : GR_SET_IN_FORCE;
}

const char *gr_set_state_name(enum gr_set_state state)
{
    return set_states[state].name;
}

const char *gr_set_state_words(enum gr_set_state state)
{
    return set_states[state].words;
}

const char *gr_set_format_name(enum gr_set_format format)
{
    return format_names[format];
}

const char *gr_file_state_name(enum gr_file_state state)
{
    return file_states[state].name;
}

const char *gr_file_state_words(enum gr_file_state state)
{
    return file_states[state].words;
}

static json_t *adjust_kinds(const struct gr_hookset *set)
{
    json_t *list = json_array();
    bool seen[GR_ADJUST_KIND_COUNT] = {false};

    for (size_t i = 0; i < set->adjust_n; i++) {
        enum gr_adjust_kind kind = set->adjust[i].kind;

        if (!seen[kind])
            (void)json_array_append_new(list, json_string(gr_adjust_kind_name(kind)));
        seen[kind] = true;
    }
    return list;
}

/* The programs of the store that hooks of the set name, with the paths that they are now; NULL:
 * none. */
static json_t *programs_json(const struct gr_hookset *set)
{
    json_t *list = NULL;

    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        for (size_t i = 0; i < set->hooks[stage].n; i++) {
            const struct gr_hook *hook = &set->hooks[stage].items[i];
            json_t *object;

            if (hook->program.n == 0)
                continue;
            list = list ? list : json_array();
            object = json_object();
            gr_json_set_str(object, "program", hook->program);
            gr_json_set_str(object, "path", hook->unresolved ? GR_STR_NONE : hook->path);
            (void)json_array_append_new(list, object);
        }
    }
    return list;
}

json_t *gr_set_json(const struct gr_hookset *set)
{
    json_t *object = json_object(), *stages = json_object(), *programs = programs_json(set);

    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++) {
        if (set->hooks[stage].n > 0)
            (void)json_object_set_new(stages, gr_stage_name((enum gr_stage)stage),
                                      json_integer((json_int_t)set->hooks[stage].n));
    }
    gr_json_set_str(object, "name", set->name);
    gr_json_set_str(object, "file", set->file);
    (void)json_object_set_new(object, "line", json_integer(set->line));
    (void)json_object_set_new(object, "order", json_integer(set->order));
    (void)json_object_set_new(object, "mode",
                              json_string(set->mode == GR_MODE_OBSERVE ? "Observe" : "Enforce"));
    (void)json_object_set_new(object, "state", json_string(gr_set_state_name(gr_set_state(set))));
    gr_json_set_str(object, "blocked", set->blocked);
    (void)json_object_set_new(object, "format", json_string(format_names[set->format]));
    (void)json_object_set_new(object, "stages", stages);
    if (programs)
        (void)json_object_set_new(object, "programs", programs);
    if (set->adjust_n > 0)
        (void)json_object_set_new(object, "adjust", adjust_kinds(set));
    return object;
}

json_t *gr_file_json(const struct gr_file_report *file)
{
    json_t *object = json_object();

    gr_json_set_str(object, "path", file->path);
    (void)json_object_set_new(object, "state", json_string(gr_file_state_name(file->state)));
    (void)json_object_set_new(object, "format", json_string(format_names[file->format]));
    (void)json_object_set_new(object, "sets", json_integer((json_int_t)file->sets));
    gr_json_set_str(object, "maskedBy", file->masked_by);
    gr_json_set_str(object, "detail", file->detail);
    return object;
}
