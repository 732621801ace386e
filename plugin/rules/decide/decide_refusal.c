/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether something refuses a container, and the text that kubelet shows for it. Names in it belong
 * to others: it is printable and short whatever they are.
 */
#include "rules/decide/decide_parts.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"

#define REFUSAL_BYTES 1536

struct whom {
    char text[4 * GR_DECIDE_SHOWN_BYTES];
};

/* "container web of pod prod/web-0", with as much of it as is known. */
static struct whom name_container(const struct gr_subject *subject)
{
    struct gr_str name = gr_str_first(subject->name, GR_DECIDE_SHOWN_BYTES);
    struct gr_str pod = gr_str_first(subject->pod_name, GR_DECIDE_SHOWN_BYTES);
    struct gr_str namespace_ = gr_str_first(subject->pod_namespace, GR_DECIDE_SHOWN_BYTES);
    const char *of = pod.n > 0 ? " of pod " : " of namespace ";
    struct whom whom;

    (void)snprintf(whom.text, sizeof(whom.text), "%s%.*s%s%.*s%s%.*s",
                   name.n > 0 ? "container " : "a container", GR_STR_FMT(name),
                   pod.n + namespace_.n > 0 ? of : "", GR_STR_FMT(namespace_),
                   pod.n > 0 && namespace_.n > 0 ? "/" : "", GR_STR_FMT(pod));
    return whom;
}

static int keep_text(struct gr_decider *d, char *text, struct gr_decision *decision)
{
    gr_utf8_make_printable(text);
    decision->refuse = true;
    return gr_arena_str(d->arena, gr_str_from(text), &decision->refusal) ? 0 : -ENOMEM;
}

/* The first objection, and how much else there is. */
static int write_objection(struct gr_decider *d, const struct gr_objection *first, size_t others,
                           struct gr_decision *decision)
{
    const struct whom whom = name_container(&d->subject);
    char text[REFUSAL_BYTES];
    char more[64] = "";

    if (others > 0)
        (void)snprintf(more, sizeof(more), "; %zu more %s", others,
                       others == 1 ? "reason" : "reasons");
    (void)snprintf(text, sizeof(text), "grapnel: %s is refused: %.*s%s", whom.text,
                   GR_STR_FMT(gr_str_first(first->reason, 512)), more);
    return keep_text(d, text, decision);
}

/* The first set, and how many others. */
static int write_set(struct gr_decider *d, const struct gr_set_result *first, size_t others,
                     struct gr_decision *decision)
{
    const struct whom whom = name_container(&d->subject);
    const struct gr_hookset *set = first->set;
    char text[REFUSAL_BYTES];
    char more[64] = "";

    if (others > 0)
        (void)snprintf(more, sizeof(more), "; %zu more %s refuse%s it too", others,
                       others == 1 ? "set" : "sets", others == 1 ? "s" : "");
    (void)snprintf(text, sizeof(text), "grapnel: HookSet %.*s (%.*s:%u) refuses %s: %.*s%s",
                   GR_STR_FMT(gr_str_first(set->name, 253)),
                   GR_STR_FMT(gr_str_first(set->file, 256)), set->line, whom.text,
                   GR_STR_FMT(gr_str_first(first->reason, 512)), more);
    return keep_text(d, text, decision);
}

int gr_decide_refuse(struct gr_decider *d, struct gr_decision *decision)
{
    const struct gr_objection *objection = NULL;
    const struct gr_set_result *set = NULL;
    size_t reasons = 0;

    for (size_t i = 0; i < d->objections_n; i++) {
        if (d->objections[i].verdict != GR_VERDICT_REFUSED)
            continue;
        if (!objection)
            objection = &d->objections[i];
        reasons++;
    }
    for (size_t i = 0; i < d->n; i++) {
        if (d->results[i].verdict != GR_VERDICT_REFUSED)
            continue;
        if (!set)
            set = &d->results[i];
        reasons++;
    }
    if (objection)
        return write_objection(d, objection, reasons - 1, decision);
    return set ? write_set(d, set, reasons - 1, decision) : 0;
}
