/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/running/classify.h"

const char *gr_running_class_name(enum gr_running_class class)
{
    static const char *const names[] = {
        [GR_RUNNING_FINE] = "fine",         [GR_RUNNING_PREEXISTING] = "preexisting",
        [GR_RUNNING_OUTDATED] = "outdated", [GR_RUNNING_UNREADABLE] = "unreadable",
        [GR_RUNNING_MISSED] = "missed",
    };

    return names[class];
}

/*
 * A container that the journal, which is complete, does not know was created after the session
 * before had ended; one whose hooks were lost, no later than that. Was the set in force at that
 * end? Times are in seconds, so that equal ones do not tell what came first.
 */
static bool was_in_force_at_the_end(const struct gr_running_facts *facts)
{
    if (facts->ended_s > 0)
        return facts->since.since_s < facts->ended_s;
    /* The process was killed while it was connected, with the sets that it had loaded last. */
    return facts->since.before_start;
}

/* The answer with its hooks was sent, and the runtime went on without it: a process that has
 * started since cannot know that it was the last one of a session. */
static bool lost_all_hooks(const struct gr_running_facts *facts)
{
    return facts->known == GR_KNOWN_INJECTED && !facts->marked;
}

/* Whether a container that got no hooks when it was created is younger than the set. */
static bool is_younger(const struct gr_running_facts *facts)
{
    if (!facts->since_known)
        return false;
    if (facts->created_s > 0 && facts->created_s != facts->since.since_s)
        return facts->created_s > facts->since.since_s;
    return (facts->complete || lost_all_hooks(facts)) && was_in_force_at_the_end(facts);
}

enum gr_running_class gr_running_classify(const struct gr_running_facts *facts)
{
    bool wanted = facts->verdict == GR_VERDICT_INJECTED || facts->verdict == GR_VERDICT_REFUSED;

    if (!facts->in_force || !facts->has_hooks || facts->mark == GR_MARKED_NOW)
        return GR_RUNNING_FINE;
    if (facts->mark == GR_MARKED_BEFORE)
        return GR_RUNNING_OUTDATED;
    if (!wanted)
        return GR_RUNNING_FINE;
    if (facts->was_missed || facts->answer_was_lost)
        return GR_RUNNING_MISSED;
    /* It was judged when we first heard of it, by the rules of that time. */
    if (facts->known != GR_KNOWN_NOT && !lost_all_hooks(facts))
        return GR_RUNNING_PREEXISTING;
    return is_younger(facts) ? GR_RUNNING_MISSED : GR_RUNNING_PREEXISTING;
}
