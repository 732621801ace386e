/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/check_validator: NRI's default validator, which may refuse what the plugin adds or ask
 * for it under another name.
 *
 * Layer: app. containerd 2.2 and later, CRI-O 1.34 and later.
 */
#include "app/doctor/doctor.h"

#define NAME_DEFAULT "grapnel"
#define INDEX_DEFAULT "10"

/* What the plugin registers as: as it says itself, as its process was told, or the default. */
static const char *own(const struct gr_doctor *d, const char *what, const char *otherwise)
{
    const json_t *connection = json_object_get(d->plugin.status, "connection");
    const char *told = json_string_value(json_object_get(connection, what));
    const struct gr_doctor_proc *proc = gr_doctor_find_proc(d, GR_PROGRAM_PLUGIN);
    const char *arg = proc ? gr_doctor_arg(proc, what, '\0') : NULL;

    if (told)
        return told;
    return arg && arg[0] ? arg : otherwise;
}

static void check_required(struct gr_doctor *d)
{
    const struct gr_runtime_setting *required = &d->runtime.config.required_plugins;
    const char *name = own(d, "name", NAME_DEFAULT);
    const char *full = gr_doctor_text(d, "%s-%s", own(d, "index", INDEX_DEFAULT), name);

    /* One that is launched has both from its file, also while it does not run. */
    if (d->entry && !d->plugin.status) {
        full = strrchr(d->entry, '/') + 1;
        name = gr_doctor_plain_name(full);
    }

    for (const struct gr_toml_node *item = required->list ? required->list->first : NULL; item;
         item = item->next) {
        const char *wanted = gr_doctor_text(d, "%.*s", GR_STR_FMT(item->text));

        /* Somebody else's name is nothing that can be told from here. */
        if (strcmp(wanted, name) == 0 || strcmp(wanted, full) == 0 || !strstr(wanted, "grapnel"))
            continue;
        gr_doctor_add(d, "required-plugin-name",
                      (struct gr_doctor_place){required->file, item->line},
                      gr_doctor_text(d,
                                     "write \"%s\" there, or start the plugin with another "
                                     "--name or --index; then: %s",
                                     name, gr_doctor_restart(d)),
                      "the plugin \"%s\" is required, and this one is %s", wanted, full);
    }
}

void gr_check_validator(struct gr_doctor *d)
{
    const struct gr_runtime_config *c = &d->runtime.config;

    if (!c->validator.has || !c->validator.is_true || !d->runtime.nri_on ||
        gr_release_before(d->runtime.nri, 0, 10, 0))
        return;
    if (c->reject_hooks.has && c->reject_hooks.is_true)
        gr_doctor_add(d, "validator-rejects-hooks",
                      (struct gr_doctor_place){c->reject_hooks.file, c->reject_hooks.line},
                      gr_doctor_text(d, "write false there, then: %s", gr_doctor_restart(d)),
                      "the validator rejects every hook that a plugin adds");
    check_required(d);
    gr_doctor_note(d, "the default validator is on (%s:%u)", c->validator.file, c->validator.line);
}
