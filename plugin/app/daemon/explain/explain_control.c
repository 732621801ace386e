/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/explain/explain_control.h"

#include <errno.h>
#include <stdatomic.h>

#include "app/daemon/reload/reload.h"
#include "app/explain/answer.h"
#include "app/json.h"
#include "oci/packed.h"

enum { BYTES, OUTPUT, ALL, COLOURS, SETS, RECORDED };

static const struct gr_control_field fields[] = {
    [BYTES] = {"bytes", GR_JSON_NUMBER, true}, [OUTPUT] = {"output", GR_JSON_STRING, true},
    [ALL] = {"all", GR_JSON_BOOLEAN, false},   [COLOURS] = {"colours", GR_JSON_BOOLEAN, false},
    [SETS] = {"sets", GR_JSON_LIST, false},    [RECORDED] = {"recorded", GR_JSON_LIST, false},
};

/* Blocks as large as those that malloc maps and gives back at once (app/daemon/process/memory). */
#define ARENA_BLOCK_BYTES (64U << 10)

/* One explanation. Freed when it has been made, or will not be, and its client has gone. */
struct job {
    struct gr_reload_task task;
    struct gr_explain_source *source;
    struct gr_control_later *later;
    bool done;
    atomic_bool left; /* nobody waits for it any more */
    struct gr_arena arena;
    struct gr_inforce_copy rules;
    struct gr_explain_ask ask;
    struct gr_strs recorded;
    struct gr_buf container; /* packed */
    char warning[GR_ERR_TEXT_BYTES];
    /* Made on the loader's thread. */
    struct gr_err err; /* with a code: there is no answer */
    struct gr_buf answer;
    json_t *hashes;
    bool refused;
};

static size_t limit(size_t given, size_t usual)
{
    return given ? given : usual;
}

static struct job *job_of(struct gr_reload_task *task)
{
    return (struct job *)(void *)((char *)task - offsetof(struct job, task));
}

static void free_job(struct job *job)
{
    gr_ruleset_unref(job->rules.ruleset);
    gr_arena_fini(&job->arena);
    gr_buf_fini(&job->container);
    gr_buf_fini(&job->answer);
    json_decref(job->hashes);
    free(job);
}

/* ---- on the loader's thread ---- */

static int no_memory(struct gr_err *err)
{
    return gr_fail(
        err, -ENOMEM, "no-memory",
        "no memory to explain this, or more than %u bytes would be needed; ask for a few "
        "sets by their names",
        GR_CONTROL_EXPLAIN_MEMORY_BYTES);
}

static int read_container(struct job *job, struct gr_arena *arena, struct gr_subject *subject)
{
    switch (gr_packed_read(arena, gr_buf_view(&job->container), subject)) {
    case 0:
        return 0;
    case GR_PACKED_DAMAGED:
        return gr_fail(&job->err, -EINVAL, "bad-container",
                       "expected a container as grapnel explain packs it, found something else");
    case GR_PACKED_OTHER_FORM:
        return gr_fail(&job->err, -EINVAL, "bad-container",
                       "expected a container as this version packs it, found the form of another "
                       "one; use the grapnel of the plugin's version");
    default:
        return no_memory(&job->err);
    }
}

static void explain(struct job *job, struct gr_arena *arena)
{
    const struct gr_ruleset *ruleset = job->rules.ruleset;
    const char *unknown = gr_explain_unknown(ruleset, &job->ask.choice);
    struct gr_subject subject;
    struct gr_str nearest;
    int r = read_container(job, arena, &subject);

    if (r)
        return;
    if (unknown) {
        nearest = gr_ruleset_nearest(ruleset, gr_str_from(unknown));
        (void)gr_fail(&job->err, -ENOENT, "unknown-set",
                      "expected the name of a set that is in force, found \"%s\"%s%.*s%s grapnel "
                      "status --all shows them",
                      gr_show(gr_str_from(unknown)).text, nearest.n > 0 ? "; did you mean \"" : "",
                      GR_STR_FMT(nearest), nearest.n > 0 ? "\"?" : ";");
        return;
    }
    job->ask.subject = &subject;
    r = gr_explain_answer(ruleset, &job->rules.options, &job->ask, arena, &job->answer,
                          &job->refused);
    job->hashes = gr_explain_hashes(ruleset, job->recorded);
    if (r == -EMSGSIZE)
        (void)gr_fail(&job->err, r, "reply-too-large",
                      "the explanation would have more than %u bytes; ask for a few sets by their "
                      "names",
                      GR_CONTROL_REPLY_BODY_MAX_BYTES);
    else if (r || !job->hashes)
        (void)no_memory(&job->err);
}

static void work(struct gr_reload_task *task)
{
    struct job *job = job_of(task);
    struct gr_arena arena;

    if (!atomic_load(&job->left)) {
        gr_arena_init(&arena, ARENA_BLOCK_BYTES,
                      limit(job->source->memory_max_bytes, GR_CONTROL_EXPLAIN_MEMORY_BYTES));
        explain(job, &arena);
        gr_arena_fini(&arena);
    }
    /* If it is the last one, freeing the rules takes milliseconds: not on the loop. */
    gr_ruleset_unref(gr_take(job->rules.ruleset));
}

/* ---- on the loop's thread ---- */

static void answer(struct job *job)
{
    json_t *reply;

    if (job->err.code) {
        gr_control_later_answer(job->later, NULL, NULL, &job->err);
        return;
    }
    reply = json_pack("{s:b, s:b}", "ok", 1, "refused", (int)job->refused);
    gr_json_set_text(reply, "warning", job->warning);
    (void)json_object_set_new(reply, "recorded", gr_take(job->hashes));
    gr_control_later_answer(job->later, reply, &job->answer, NULL);
}

static void on_done(struct gr_reload_task *task)
{
    struct job *job = job_of(task);

    job->done = true;
    if (atomic_load(&job->left))
        free_job(job);
    else if (job->hashes || job->err.code) /* else the process ends */
        answer(job);                       /* the job may be gone now */
}

static void on_left(void *user)
{
    struct job *job = user;

    job->source->jobs--;
    atomic_store(&job->left, true);
    if (job->done)
        free_job(job);
}

/* ---- the request ---- */

/* False: no memory. Elements that are no texts are empty ones, which no set is named. */
static bool take_names(const struct gr_control_request *request, size_t field,
                       struct gr_arena *arena, struct gr_strs *out_names)
{
    const struct gr_json_node *list = request->values[field].node;
    const struct gr_json_node *node;
    struct gr_str *names;
    size_t n = 0;

    for (node = list ? list->first : NULL; node; node = node->next)
        n++;
    names = gr_arena_array(arena, n, sizeof(*names));
    n = 0;
    for (node = list ? list->first : NULL; node && names; node = node->next, n++) {
        struct gr_str text = GR_STR_NONE;

        if (node->kind == GR_JSON_STRING &&
            !gr_json_text(arena, gr_json_raw(request->line, node), &text))
            return false;
        if (!gr_arena_str(arena, text, &names[n]))
            return false;
    }
    *out_names = (struct gr_strs){.items = names, .n = n};
    return names != NULL;
}

static bool take_choice(struct job *job, const struct gr_control_request *request)
{
    struct gr_explain_choice *choice = &job->ask.choice;
    struct gr_strs names;
    const char **texts;

    if (!take_names(request, SETS, &job->arena, &names) ||
        !take_names(request, RECORDED, &job->arena, &job->recorded))
        return false;
    texts = gr_arena_array(&job->arena, names.n, sizeof(*texts));
    for (size_t i = 0; texts && i < names.n; i++)
        texts[i] = names.items[i].p;
    choice->all = request->values[ALL].truth;
    choice->names = texts;
    choice->names_n = names.n;
    return texts != NULL;
}

/* What somebody should know who takes the answer for what the files say. */
static void put_warning(struct job *job)
{
    struct gr_inforce_status status;

    gr_inforce_status(job->source->inforce, &status);
    if (status.ready)
        return;
    (void)snprintf(
        job->warning, sizeof(job->warning),
        "the last load of the rules or settings had errors: what is in force may be older "
        "than the files; grapnel status says more");
}

static int take_request(struct job *job, const struct gr_control_request *request,
                        struct gr_err *err)
{
    struct gr_str output = request->values[OUTPUT].text;
    int r;

    if (!gr_str_is(output, "text") && !gr_str_is(output, "json"))
        return gr_fail(err, -EINVAL, "bad-word",
                       "expected text or json as \"output\", found \"%s\"", gr_show(output).text);
    job->ask.json = gr_str_is(output, "json");
    job->ask.colours = request->values[COLOURS].truth;
    r = gr_inforce_take_copy(job->source->inforce, &job->arena, &job->rules, err);
    if (r)
        return r;
    if (!take_choice(job, request))
        return no_memory(err);
    put_warning(job);
    return 0;
}

static int run_explain(void *user, const struct gr_control_request *request, json_t *reply,
                       struct gr_err *err)
{
    struct gr_explain_source *source = user;
    struct job *job;
    int r;

    (void)reply;
    if (source->jobs >= GR_CONTROL_EXPLAIN_MAX)
        return gr_fail(err, -EBUSY, "busy", "%d others are being explained something; try again",
                       GR_CONTROL_EXPLAIN_MAX);
    job = calloc(1, sizeof(*job));
    if (!job)
        return no_memory(err);
    job->source = source;
    gr_arena_init(&job->arena, 1024, 0);
    gr_buf_init(&job->answer, limit(source->answer_max_bytes, GR_CONTROL_REPLY_BODY_MAX_BYTES));
    r = take_request(job, request, err);
    if (r) {
        free_job(job);
        return r;
    }
    job->task = (struct gr_reload_task){.work = work, .done = on_done};
    job->container = *request->body;
    gr_buf_init(request->body, request->body->max);
    job->later = request->later;
    job->later->left = on_left;
    job->later->user = job;
    source->jobs++;
    gr_inforce_run(source->inforce, &job->task);
    return GR_CONTROL_LATER;
}

static const struct gr_control_command command = {
    .name = "explain",
    .fields = fields,
    .fields_n = GR_ARRAY_LEN(fields),
    .body_max_bytes = GR_CONTROL_BODY_MAX_BYTES,
    .run = run_explain,
};

void gr_explain_control_add(struct gr_control *control, struct gr_explain_source *source)
{
    gr_control_add(control, &command, 1, source);
}
