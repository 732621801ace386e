/* SPDX-License-Identifier: Apache-2.0 */
#include "app/cli/explain/in_force.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/exit.h"
#include "app/json.h"
#include "base/clock.h"
#include "oci/packed.h"

/* From the first try to the answer, in ms: longer than those who do not take theirs may keep us out
 * (GR_CONTROL_CLIENT_MAX_MS). */
#define PATIENCE_MS 8000
/* Between two tries, in ms: as long as a large explanation takes. */
#define BUSY_WAIT_MS 20

void gr_in_force_answer_init(struct gr_in_force_answer *answer, size_t max_bytes)
{
    *answer = (struct gr_in_force_answer){0};
    gr_buf_init(&answer->text, max_bytes);
}

void gr_in_force_answer_fini(struct gr_in_force_answer *answer)
{
    gr_buf_fini(&answer->text);
    json_decref(answer->hashes);
    free(answer->warning);
}

static int no_memory(void)
{
    (void)fputs("grapnel explain: no memory\n", stderr);
    return GR_EXIT_FAILED;
}

static int refuse_container(int r)
{
    if (r == -ENOMEM)
        return no_memory();
    if (r == -EMSGSIZE)
        (void)fprintf(stderr,
                      "grapnel explain: expected what is known of a container to have at most %u "
                      "bytes, found more; without --in-force there is no limit\n",
                      GR_CONTROL_BODY_MAX_BYTES);
    else
        (void)fputs("grapnel explain: expected texts of UTF-8 without NUL bytes in what is said of "
                    "the container, found others\n",
                    stderr);
    return GR_EXIT_USAGE;
}

static json_t *make_request(const struct gr_explain_ask *ask, struct gr_strs recorded, size_t bytes)
{
    json_t *request =
        json_pack("{s:s, s:s}", "command", "explain", "output", ask->json ? "json" : "text");
    json_t *sets = json_array(), *before = json_array();

    gr_json_set_count(request, "bytes", bytes);
    if (ask->choice.all)
        (void)json_object_set_new(request, "all", json_true());
    if (ask->colours)
        (void)json_object_set_new(request, "colours", json_true());
    for (size_t i = 0; i < ask->choice.names_n; i++)
        (void)json_array_append_new(sets, gr_json_str(gr_str_from(ask->choice.names[i])));
    (void)json_object_set_new(request, "sets", sets);
    for (size_t i = 0; i < recorded.n; i++)
        (void)json_array_append_new(before, gr_json_str(recorded.items[i]));
    (void)json_object_set_new(request, "recorded", before);
    return request;
}

static const char *code_of(const json_t *reply)
{
    const char *code = json_string_value(json_object_get(reply, "code"));

    return code ? code : "";
}

/* As gr_control_ask_with, and again as long as others are served. */
static int ask_patiently(const char *path, json_t *request, struct gr_str body, json_t **out_reply,
                         struct gr_buf *out_text, struct gr_err *err)
{
    const uint64_t deadline_ms = gr_now_ms() + PATIENCE_MS;
    uint64_t now_ms;
    int r;

    for (;;) {
        now_ms = gr_now_ms();
        *err = (struct gr_err){0};
        r = gr_control_ask_with(
            path, (uint32_t)GR_MIN(deadline_ms - now_ms, (uint64_t)GR_CONTROL_CLIENT_MAX_MS),
            request, body, out_reply, out_text, err);
        if (r != GR_CONTROL_REFUSED || strcmp(code_of(*out_reply), "busy") != 0 ||
            gr_now_ms() + BUSY_WAIT_MS >= deadline_ms)
            return r;
        json_decref(gr_take(*out_reply));
        (void)poll(NULL, 0, BUSY_WAIT_MS);
    }
}

static int refused(const json_t *reply, const struct gr_err *err)
{
    const char *code = code_of(reply);

    (void)fprintf(stderr, "grapnel explain: %s%s\n",
                  strcmp(code, "unknown-command") == 0
                      ? "the plugin that runs here cannot be asked this, it is of another version: "
                      : "",
                  err->text);
    return strcmp(code, "unknown-set") == 0 ? GR_EXIT_USAGE : GR_EXIT_HOST;
}

static int take_reply(const json_t *reply, struct gr_in_force_answer *answer)
{
    const char *warning = json_string_value(json_object_get(reply, "warning"));

    answer->refused = json_is_true(json_object_get(reply, "refused"));
    answer->hashes = json_incref(json_object_get(reply, "recorded"));
    if (warning)
        answer->warning = strdup(warning);
    return warning && !answer->warning ? no_memory() : GR_EXIT_OK;
}

static int ask_plugin(const struct gr_in_force_at *at, const struct gr_explain_ask *ask,
                      struct gr_strs recorded, struct gr_str container,
                      struct gr_in_force_answer *answer)
{
    json_t *request = make_request(ask, recorded, container.n);
    struct gr_err err = {0};
    json_t *reply = NULL;
    int r;

    r = request ? ask_patiently(at->path, request, container, &reply, &answer->text, &err)
                : -ENOMEM;
    if (at->settings)
        gr_control_say_guessed(at->settings, r, &err);
    if (!request)
        r = no_memory();
    else if (r == 0)
        r = take_reply(reply, answer);
    else
        r = refused(reply, &err);
    json_decref(request);
    json_decref(reply);
    return r;
}

int gr_in_force_explain(const struct gr_in_force_at *at, const struct gr_explain_ask *ask,
                        struct gr_strs recorded, struct gr_in_force_answer *answer)
{
    struct gr_buf container;
    int r;

    if (at->path[0] == '\0') {
        (void)fputs("grapnel explain: the settings say controlSocket: none; the plugin cannot be "
                    "asked\n",
                    stderr);
        return GR_EXIT_HOST;
    }
    gr_buf_init(&container, GR_CONTROL_BODY_MAX_BYTES);
    r = gr_packed_write(ask->subject, &container);
    if (r)
        r = refuse_container(r);
    else
        r = ask_plugin(at, ask, recorded, gr_buf_view(&container), answer);
    gr_buf_fini(&container);
    return r;
}
