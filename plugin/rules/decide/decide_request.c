/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pod asks for by name, and which sets the owner of the node requires. Both may speak
 * against a container whatever matches; spec: specs/matching.md, "Requests" and "Guard rails".
 */
#include "rules/decide/decide_parts.h"

#include <errno.h>

#include "rules/limits.h"

/* A number of a #define as text. */
#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number

static struct gr_str shown(struct gr_str name)
{
    return gr_str_first(name, GR_DECIDE_SHOWN_BYTES);
}

static void object(struct gr_decider *d, enum gr_objection_kind kind, struct gr_str set,
                   bool refuses, struct gr_str reason)
{
    d->objections[d->objections_n++] =
        (struct gr_objection){.kind = kind,
                              .verdict = refuses ? GR_VERDICT_REFUSED : GR_VERDICT_IGNORED,
                              .set = set,
                              .reason = reason};
}

/* ---- required sets ---- */

bool gr_decide_requires(const struct gr_decider *d, struct gr_str set)
{
    for (size_t i = 0; i < d->options->required_sets.n; i++) {
        if (gr_str_eq(d->options->required_sets.items[i], set))
            return true;
    }
    return false;
}

/* Why a set is not in force here; NULL: it is. Whatever takes a required set out of force refuses:
 * else a slip in it, or moving it to Observe, would switch it off unseen. */
static const char *find_lack(const struct gr_hookset *set)
{
    if (!set)
        return "there is no valid one of this name";
    if (set->other_node)
        return "its nodes do not include this one";
    if (set->mode == GR_MODE_OBSERVE)
        return "its mode is Observe";
    return set->blocked.n > 0 ? "it is blocked" : NULL;
}

static int check_required(struct gr_decider *d, struct gr_str name)
{
    const struct gr_hookset *set = gr_ruleset_find(d->ruleset, name);
    const char *lack = find_lack(set);
    bool spared = gr_decide_spares(d);
    const struct gr_suspension *paused;
    char pause[GR_SUSPENSION_TEXT_BYTES] = "";
    struct gr_str reason;
    int r;

    if (!lack)
        return 0;
    paused = gr_decide_suspension(d, name);
    if (paused)
        gr_suspension_say(paused, pause);
    r = gr_decide_say(d, &reason, "the required HookSet %.*s is not in force: %s%s%.*s%s%s%s",
                      GR_STR_FMT(shown(name)), lack, set && set->blocked.n > 0 ? ": " : "",
                      GR_STR_FMT(set ? gr_str_first(set->blocked, 256) : GR_STR_NONE),
                      spared ? GR_DECIDE_SPARED : "", paused ? "; it need not be: " : "", pause);
    if (r == 0)
        object(d, GR_OBJECTION_REQUIRED, name, !spared && !paused, reason);
    return r;
}

/* ---- requests ---- */

static int deny(struct gr_decider *d, struct gr_str name, const char *why)
{
    bool fails = gr_policies_on_denied(d->policies) == GR_DENIED_FAIL;
    bool spared = fails && gr_decide_spares(d);
    struct gr_str reason;
    int r = gr_decide_say(d, &reason,
                          "the pod asks for the HookSet \"%.*s\", which the namespace %.*s may not "
                          "have: %s%s",
                          GR_STR_FMT(shown(name)), GR_STR_FMT(shown(d->namespace_)), why,
                          spared ? GR_DECIDE_SPARED : "");

    if (r == 0)
        object(d, GR_OBJECTION_REQUEST, name, fails && !spared, reason);
    return r;
}

static int read_list(struct gr_decider *d, struct gr_str list)
{
    struct gr_str *granted = gr_arena_array(d->arena, GR_REQUESTS_MAX, sizeof(*granted));
    struct gr_str name;
    size_t n = 0;
    int r = 0;

    if (!granted)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && (name = gr_request_next(&list)).n > 0; i++) {
        const char *why = gr_request_denial(d->ruleset, name, d->namespace_);

        if (i == GR_REQUESTS_MAX)
            return deny(d, name, "more sets are asked for than " TEXT_OF(GR_REQUESTS_MAX));
        if (why)
            r = deny(d, name, why);
        else
            granted[n++] = name;
    }
    d->subject.requests = (struct gr_strs){.items = granted, .n = n};
    return r;
}

int gr_decide_requests(struct gr_decider *d)
{
    size_t required = d->options->required_sets.n;
    struct gr_str list = GR_STR_NONE;
    enum gr_truth asks = gr_request_find(&d->subject, d->options->request_annotation, &list);
    int r = 0;

    d->subject.requests = (struct gr_strs){0};
    if (asks == GR_UNKNOWN)
        d->subject.unknown_fields |= 1U << GR_FIELD_REQUESTED;
    if (required == 0 && asks != GR_TRUE)
        return 0;
    d->objections =
        gr_arena_array(d->arena, required + GR_REQUESTS_MAX + 1, sizeof(*d->objections));
    if (!d->objections)
        return -ENOMEM;
    for (size_t i = 0; i < required && r == 0; i++)
        r = check_required(d, d->options->required_sets.items[i]);
    if (r == 0 && asks == GR_TRUE)
        r = read_list(d, list);
    return r;
}
