/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/running/running.h"

#include <errno.h>

#include "app/daemon/conn.h"
#include "app/daemon/process/memory.h"
#include "app/daemon/programs/collector.h"
#include "app/daemon/running/last_answer.h"
#include "app/daemon/running/running_found.h"
#include "nri/limits.h"

/* How long one turn of the loop may be kept, and by how many containers. One that is begun is
 * finished: an ordinary one takes some microseconds, a hostile one what a request may
 * (GR_MATCH_STEPS_MAX). */
#define SLICE_NS UINT64_C(1000000)
#define SLICE_CONTAINERS 64

/* Ids that come in while containers are looked at. */
#define ALSO_BLOCK_BYTES 4096

/* A container that was created after Synchronize. */
struct also {
    struct also *next;
    struct gr_str id;
};

struct gr_running {
    struct event *slice;
    struct gr_inforce *inforce;
    const struct gr_log *log;
    struct gr_journal *const *journal; /* where it stands */
    struct gr_last_answer last_answer;

    /* What is being looked at; told is NULL: nothing. */
    struct gr_nri_running *told;
    size_t next;           /* container */
    bool complete;         /* of the journal, before this Synchronize */
    int64_t ended_s;       /* the same */
    struct gr_arena arena; /* of one container */
    struct gr_arena also_arena;
    struct also *also;
    size_t also_n;
    bool also_lost; /* there was no memory for one */
    struct gr_found found;
    struct gr_named named; /* by rules: digests of the program store */
    struct gr_collector *collector;

    struct gr_found before; /* what came out of the Synchronize before */
    uint64_t looks;         /* that ended, or gave nothing */
    const char *problem;    /* why nothing is known, which was said; NULL: something is, or
                             * nothing was told */
};

/* ---- one container ---- */

/* What is asked of a container for each of its sets. */
struct looking {
    struct gr_running *running;
    const struct gr_nri_container *container;
    const struct gr_since *since;
    enum gr_known known;
    const struct gr_marks *marks;
    const struct gr_found_node *missed; /* as found before */
};

static bool has_hooks(const struct gr_hookset *set)
{
    for (size_t i = 0; i < GR_STAGE_COUNT; i++) {
        if (set->hooks[i].n > 0)
            return true;
    }
    return false;
}

/* The journal knows which containers were missed, and the process which sets of them; a process
 * that has just started does not. */
static bool was_missed(const struct looking *l, struct gr_str set)
{
    const struct gr_found *before = &l->running->before;

    if (gr_found_missed(l->missed, set))
        return true;
    return l->known == GR_KNOWN_MISSED && !(before->known && gr_found_names_all_missed(before));
}

static enum gr_running_class classify(const struct looking *l, const struct gr_set_result *result)
{
    const struct gr_subject *subject = &l->container->subject;
    const struct gr_hookset *set = result->set;
    struct gr_running_facts facts = {.in_force = gr_since_is_in_force(set),
                                     .has_hooks = has_hooks(set),
                                     .verdict = result->verdict,
                                     .created_s = l->container->created_s,
                                     .marked = l->marks->n > 0,
                                     .known = l->known,
                                     .complete = l->running->complete,
                                     .ended_s = l->running->ended_s};

    if (!facts.in_force || !facts.has_hooks)
        return GR_RUNNING_FINE; /* before it costs anything: there may be thousands */
    facts.mark = gr_marks_find(l->marks, set);
    facts.since_known = gr_since_find(l->since, set, &facts.since);
    facts.was_missed = was_missed(l, set->name);
    facts.answer_was_lost = gr_last_answer_had(&l->running->last_answer, subject->id, set->name);
    return gr_running_classify(&facts);
}

static void say_missed(struct gr_running *r, const struct gr_subject *subject, struct gr_str set)
{
    if (r->found.said == GR_RUNNING_MISSED_MAX)
        return;
    r->found.said++;
    GR_LOG(r->log, GR_LEVEL_WARNING,
           "a container runs without the hooks of a set that was in force when it was created",
           GR_LOG_STR("namespace", subject->pod_namespace), GR_LOG_STR("pod", subject->pod_name),
           GR_LOG_STR("container", subject->name), GR_LOG_STR("id", subject->id),
           GR_LOG_STR("set", set));
}

static void note(struct looking *l, const struct gr_set_result *result, enum gr_running_class class)
{
    const struct gr_subject *subject = &l->container->subject;
    struct gr_running *r = l->running;
    struct gr_str set = result->set->name;

    gr_found_add(&r->found, subject, set, class);
    if (class != GR_RUNNING_MISSED || l->known == GR_KNOWN_MISSED ||
        gr_found_missed(l->missed, set))
        return;
    say_missed(r, subject, set);
    if (*r->journal)
        (void)gr_journal_missed(*r->journal, subject->id, set); /* it counts its own failures */
}

/* A pod's author can make it so: it is no way to keep a missed container quiet. */
static void note_unreadable(struct gr_running *r, struct gr_str id, const struct gr_err *err)
{
    const struct gr_subject subject = {.id = id};
    bool new = id.n == 0 || !*r->journal || gr_journal_known(*r->journal, id) == GR_KNOWN_NOT;
    bool say = new && r->found.said < GR_RUNNING_MISSED_MAX;

    gr_found_add(&r->found, &subject, GR_STR_NONE, GR_RUNNING_UNREADABLE);
    gr_found_count(&r->found, GR_RUNNING_UNREADABLE);
    r->found.said += say;
    GR_LOG(r->log, say ? GR_LEVEL_WARNING : GR_LEVEL_DEBUG,
           "a running container cannot be read: whether it lacks hooks is not known",
           GR_LOG_STR("id", id), GR_LOG_TEXT("error", err->text));
}

static void look_at(struct gr_running *r, size_t i, const struct gr_since *since)
{
    enum gr_running_class gravest = GR_RUNNING_FINE;
    struct gr_nri_container container;
    struct gr_decision decision = {0};
    struct gr_err err = {0};
    struct looking l = {.running = r, .container = &container, .since = since};

    gr_arena_reset(&r->arena);
    if (gr_nri_running_at(r->told, i, &r->arena, &container, &err) != 0 ||
        gr_inforce_decide(r->inforce, &container.subject, &r->arena, &decision, &err) != 0) {
        note_unreadable(r, gr_nri_running_id(r->told, i), &err);
        return;
    }
    if (*r->journal)
        l.known = gr_journal_known(*r->journal, container.subject.id);
    l.marks = &decision.marks;
    l.missed = gr_found_of(&r->before, container.subject.id);
    for (size_t k = 0; k < decision.results_n; k++) {
        enum gr_running_class class = classify(&l, &decision.results[k]);

        if (class == GR_RUNNING_FINE)
            continue;
        note(&l, &decision.results[k], class);
        gravest = GR_MAX(gravest, class);
    }
    gr_found_count(&r->found, gravest);
}

/* ---- all of them ---- */

static void forget_told(struct gr_running *r)
{
    gr_nri_running_free(gr_take(r->told));
    gr_arena_fini(&r->arena);
    gr_arena_fini(&r->also_arena);
    r->also = NULL;
    r->also_n = 0;
    r->also_lost = false;
    (void)event_del(r->slice);
}

/* Tells the journal which containers there are: those of Synchronize, and those created since. */
static void tell_journal(struct gr_running *r)
{
    size_t all = gr_nri_running_count(r->told);
    struct gr_str *ids = gr_arena_array(&r->also_arena, all + r->also_n, sizeof(*ids));
    size_t n = 0;

    /* Without all of them the journal would forget containers: it knows too many instead. */
    if (!*r->journal || !ids || r->also_lost)
        return;
    for (size_t i = 0; i < all; i++) {
        ids[n] = gr_nri_running_id(r->told, i);
        n += ids[n].n > 0;
    }
    for (const struct also *also = r->also; also; also = also->next)
        ids[n++] = also->id;
    (void)gr_journal_listed(*r->journal, ids, n); /* it counts its own failures */
}

/* What no container names now, and no rules that were in force meanwhile, is named by none later.
 * Nobody else needs any more what was told. */
static void collect_programs(struct gr_running *r)
{
    struct gr_inforce_status rules;

    gr_inforce_status(r->inforce, &rules);
    gr_collector_start(r->collector, &(struct gr_collecting){.told = gr_take(r->told),
                                                             .named = &r->named,
                                                             .config = &rules.settings->config});
}

static void conclude(struct gr_running *r)
{
    struct gr_found *found = &r->found;

    found->running = gr_nri_running_count(r->told);
    found->known = true;
    gr_found_finish(found);
    tell_journal(r);
    collect_programs(r);
    GR_LOG(r->log, GR_LEVEL_INFO, "running containers compared with the rules",
           GR_LOG_INT("running", found->running), GR_LOG_INT("missed", found->missed),
           GR_LOG_INT("outdated", found->outdated), GR_LOG_INT("preexisting", found->preexisting),
           GR_LOG_INT("unreadable", found->unreadable));
    gr_found_fini(&r->before);
    r->before = *found;
    gr_found_init(found);
    r->looks++;
    r->problem = NULL;
    forget_told(r);
    gr_memory_trim();
}

/* From Synchronize on, so that what a container got that is created meanwhile is known. */
static void note_rules(struct gr_running *r, const struct gr_inforce_status *rules)
{
    if (r->told)
        gr_named_add_rules(&r->named, rules->ruleset, rules->rules_hash);
    gr_collector_rules(r->collector, rules->rules_hash);
}

static void look_on(struct gr_running *r)
{
    size_t all = gr_nri_running_count(r->told);
    size_t end = GR_MIN(all, r->next + SLICE_CONTAINERS);
    uint64_t until_ns = gr_now_ns() + SLICE_NS;
    struct gr_inforce_status rules;

    gr_inforce_status(r->inforce, &rules);
    note_rules(r, &rules);
    while (r->next < end && gr_now_ns() < until_ns)
        look_at(r, r->next++, rules.since);
    if (r->next == all)
        conclude(r);
}

static void schedule(struct gr_running *r)
{
    const struct timeval now = {0};

    if (r->told && gr_inforce_is_usable(r->inforce))
        (void)event_add(r->slice, &now);
}

static void on_slice(evutil_socket_t fd, short what, void *arg)
{
    struct gr_running *r = arg;

    (void)fd;
    (void)what;
    if (!r->told || !gr_inforce_is_usable(r->inforce))
        return;
    look_on(r);
    schedule(r);
}

/* ---- what others tell ---- */

static void say_unknown(struct gr_running *r, const struct gr_nri_running *told)
{
    bool large = told && gr_nri_running_state(told) == GR_NRI_RUNNING_TOO_LARGE;
    bool said = r->problem != NULL;

    gr_found_fini(&r->before);
    gr_found_init(&r->before);
    r->looks++;
    r->problem = large ? "the runtime tells of more containers than are kept"
                       : "no memory to keep what the runtime tells";
    if (!said)
        GR_LOG(r->log, GR_LEVEL_WARNING, "whether containers were missed is not known",
               GR_LOG_TEXT("reason", r->problem));
}

void gr_running_take(struct gr_running *r, struct gr_nri_running *told)
{
    const struct gr_journal *journal = *r->journal;

    forget_told(r);
    gr_found_fini(&r->found);
    gr_found_init(&r->found);
    if (!told || gr_nri_running_state(told) != GR_NRI_RUNNING_WHOLE) {
        say_unknown(r, told);
        gr_nri_running_free(told);
        return;
    }
    r->told = told;
    r->next = 0;
    gr_named_begin(&r->named);
    gr_running_rules_loaded(r); /* those of now, and what there is to do about it */
    r->complete = journal && gr_journal_is_complete(journal);
    r->ended_s = journal ? gr_journal_session_ended_s(journal) : 0;
}

void gr_running_rules_loaded(struct gr_running *r)
{
    struct gr_inforce_status rules;

    gr_inforce_status(r->inforce, &rules);
    note_rules(r, &rules);
    schedule(r);
}

void gr_running_created(struct gr_running *r, const struct gr_session_event *event)
{
    struct also *also;

    gr_last_answer_take(&r->last_answer, event);
    if (!r->told || event->refused || !event->subject)
        return;
    also = gr_arena_alloc(&r->also_arena, sizeof(*also));
    if (!also || !gr_arena_str(&r->also_arena, event->subject->id, &also->id)) {
        r->also_lost = true;
        return;
    }
    also->next = r->also;
    r->also = also;
    r->also_n++;
}

void gr_running_status(const struct gr_running *r, struct gr_running_status *out_status)
{
    const struct gr_found *found = &r->before;

    *out_status = (struct gr_running_status){.known = found->known,
                                             .problem = r->problem,
                                             .running = found->running,
                                             .missed = found->missed,
                                             .unreadable = found->unreadable,
                                             .outdated = found->outdated,
                                             .preexisting = found->preexisting,
                                             .items = found->items,
                                             .items_n = found->items_n,
                                             .looks = r->looks};
}

/* ---- life ---- */

int gr_running_new(struct event_base *base, struct gr_inforce *inforce, const struct gr_log *log,
                   struct gr_journal *const *journal, struct gr_running **out_running)
{
    struct gr_running *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->inforce = inforce;
    r->log = log;
    r->journal = journal;
    gr_arena_init(&r->arena, GR_NRI_ARENA_BLOCK_BYTES, GR_NRI_ARENA_MAX_BYTES);
    gr_arena_init(&r->also_arena, ALSO_BLOCK_BYTES, 0);
    gr_last_answer_init(&r->last_answer);
    gr_found_init(&r->found);
    gr_found_init(&r->before);
    r->slice = evtimer_new(base, on_slice, r);
    if (!r->slice || gr_collector_new(base, log, &r->collector) != 0) {
        gr_running_free(r);
        return -ENOMEM;
    }
    *out_running = r;
    return 0;
}

void gr_running_free(struct gr_running *r)
{
    if (!r)
        return;
    gr_collector_free(r->collector);
    gr_named_fini(&r->named);
    if (r->slice) {
        forget_told(r);
        event_free(r->slice);
    }
    gr_found_fini(&r->found);
    gr_found_fini(&r->before);
    gr_last_answer_fini(&r->last_answer);
    free(r);
}
