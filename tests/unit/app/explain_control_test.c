/* SPDX-License-Identifier: Apache-2.0 */
/* The command explain beside loads, clients that leave and an end: also built with the thread
 * sanitizer. */
#include "testing.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/daemon/explain/explain_control.h"
#include "app/explain/answer.h"
#include "oci/packed.h"

#define SETS 200
#define SET                                                                                    \
    "---\napiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: %s-%d}\nspec: {match: " \
    "{podLabels: {app: web}, namespace: n-%d}, hooks: {poststop: [{path: /bin/true}]}}\n"

struct rig {
    char dir[64], hooks[80], path[80];
    const char *dirs[1];
    struct gr_flags flags;
    struct gr_log log;
    struct event_base *base;
    struct gr_inforce *inforce;
    struct gr_control *control;
    struct gr_explain_source source;
    size_t loads;
};

static void put_sets(const struct rig *rig, const char *name)
{
    char path[128], fresh[128];
    FILE *file;

    (void)snprintf(fresh, sizeof(fresh), "%s/new", rig->hooks);
    (void)snprintf(path, sizeof(path), "%s/sets.yaml", rig->hooks);
    file = fopen(fresh, "w");
    assert_non_null(file);
    for (int i = 0; i < SETS; i++)
        (void)fprintf(file, SET, name, i, i);
    (void)fclose(file);
    assert_int_equal(rename(fresh, path), 0);
}

static void on_changed(void *user)
{
    struct rig *rig = user;

    rig->loads++;
}

static void turn(struct rig *rig)
{
    assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
}

static void load(struct rig *rig)
{
    size_t before = rig->loads;

    while (rig->loads == before)
        turn(rig);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct gr_config *config = &rig->flags.config;

    assert_non_null(rig);
    (void)umask(022);
    strcpy(rig->dir, "/tmp/grapnel-explain-test.XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    (void)snprintf(rig->hooks, sizeof(rig->hooks), "%s/hooks.d", rig->dir);
    (void)snprintf(rig->path, sizeof(rig->path), "%s/control", rig->dir);
    assert_int_equal(mkdir(rig->hooks, 0755), 0);
    put_sets(rig, "first");
    rig->dirs[0] = rig->hooks;
    gr_config_init(config);
    config->hooks_dirs = rig->dirs;
    config->hooks_dirs_n = 1;
    config->run_dir = "";
    config->last_good_dir = "";
    config->sandbox = false;
    config->origins[GR_SETTING_HOOKS_DIRS].has = true;
    config->origins[GR_SETTING_RUN_DIR].has = true;
    config->origins[GR_SETTING_LAST_GOOD_DIR].has = true;
    config->origins[GR_SETTING_SANDBOX].has = true;
    gr_log_init(&rig->log, "test");
    rig->log.syslog = false;
    rig->log.level = GR_LEVEL_ERROR;
    rig->base = event_base_new();
    assert_non_null(rig->base);
    assert_int_equal(
        gr_inforce_new(rig->base, &rig->flags, false, &rig->log, on_changed, rig, &rig->inforce),
        0);
    rig->log.level = GR_LEVEL_ERROR;
    assert_int_equal(gr_control_new(rig->base, &rig->log, NULL, &rig->control), 0);
    rig->source = (struct gr_explain_source){.inforce = rig->inforce};
    gr_explain_control_add(rig->control, &rig->source);
    gr_control_follow(rig->control, rig->path);
    *state = rig;
    return 0;
}

static void end_process(struct rig *rig)
{
    gr_control_free(gr_take(rig->control));
    gr_inforce_free(gr_take(rig->inforce));
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    char command[128];

    end_process(rig);
    event_base_free(rig->base);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", rig->dir);
    assert_int_equal(system(command), 0);
    free(rig);
    return 0;
}

/* ---- a client ---- */

static struct gr_subject container(void)
{
    static const struct gr_kv labels[] = {{{.p = "app", .n = 3}, {.p = "web", .n = 3}}};
    struct gr_subject s = {.name = GR_STR("front"),
                           .pod_name = GR_STR("shop"),
                           .pod_namespace = GR_STR("n-7"),
                           .runtime = GR_STR("containerd"),
                           .pod_labels = {labels, 1}};

    assert_int_equal(gr_image_parse(GR_STR("nginx:1.27"), &s.image), 0);
    return s;
}

static int connected(const struct rig *rig)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig->path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static int asking(const struct rig *rig, const char *more, struct gr_str body)
{
    int fd = connected(rig);
    struct gr_buf all;

    gr_buf_init(&all, 4096 + body.n);
    (void)gr_buf_printf(&all, "{\"command\":\"explain\",\"bytes\":%zu%s}\n", body.n, more);
    (void)gr_buf_str(&all, body);
    assert_int_equal(all.broken, 0);
    assert_int_equal(send(fd, all.data, all.len, MSG_NOSIGNAL), (ssize_t)all.len);
    gr_buf_fini(&all);
    return fd;
}

static int ask(const struct rig *rig, const char *more)
{
    struct gr_subject s = container();
    struct gr_buf body;
    int fd;

    gr_buf_init(&body, 4096);
    assert_int_equal(gr_packed_write(&s, &body), 0);
    fd = asking(rig, more, gr_buf_view(&body));
    gr_buf_fini(&body);
    return fd;
}

/* The line, and what follows it. */
struct heard {
    json_t *line;
    struct gr_buf body;
};

static struct heard hear(struct rig *rig, int fd)
{
    struct heard heard = {0};
    struct gr_buf all;
    char bytes[65536];
    size_t end = 0, missing = SIZE_MAX;

    gr_buf_init(&all, SIZE_MAX / 2);
    while (missing > 0) {
        ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

        if (n < 0) {
            assert_int_equal(errno, EAGAIN);
            turn(rig);
            continue;
        }
        assert_true(n > 0);
        assert_int_equal(gr_buf_add(&all, bytes, (size_t)n), 0);
        end = gr_str_find(gr_buf_view(&all), '\n');
        if (end == all.len)
            continue;
        if (!heard.line)
            heard.line = json_loadb((const char *)all.data, end, 0, NULL);
        missing =
            end + 1 + (size_t)json_integer_value(json_object_get(heard.line, "bytes")) - all.len;
    }
    (void)close(fd);
    gr_buf_init(&heard.body, SIZE_MAX / 2);
    assert_int_equal(gr_buf_str(&heard.body, gr_str_skip(gr_buf_view(&all), end + 1)), 0);
    gr_buf_fini(&all);
    return heard;
}

static void forget(struct heard *heard)
{
    json_decref(heard->line);
    gr_buf_fini(&heard->body);
}

static void assert_refused(struct rig *rig, int fd, const char *code)
{
    struct heard heard = hear(rig, fd);

    assert_true(json_is_false(json_object_get(heard.line, "ok")));
    assert_string_equal(json_string_value(json_object_get(heard.line, "code")), code);
    assert_int_equal(heard.body.len, 0);
    forget(&heard);
}

/* Whether an answer tells of a set of this name. */
static bool tells_of(const struct heard *heard, const char *name)
{
    return memmem(heard->body.data, heard->body.len, name, strlen(name)) != NULL;
}

/* Until nobody is served any more. */
static void rest(struct rig *rig)
{
    while (rig->source.jobs > 0)
        turn(rig);
}

/* ---- what is answered ---- */

static void assert_same(struct rig *rig, const char *more, bool json, bool all)
{
    struct gr_subject subject = container();
    const struct gr_explain_ask wanted = {
        .subject = &subject, .choice = {.all = all}, .json = json};
    struct heard heard = hear(rig, ask(rig, more));
    struct gr_inforce_status status;
    struct gr_decide_options options;
    struct gr_buf here;
    struct gr_arena arena;
    bool refused;

    gr_inforce_status(rig->inforce, &status);
    options = gr_settings_decide_options(status.settings);
    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(&here, SIZE_MAX / 2);
    assert_int_equal(gr_explain_answer(status.ruleset, &options, &wanted, &arena, &here, &refused),
                     0);
    assert_true(here.len > 100);
    assert_true(gr_str_eq(gr_buf_view(&here), gr_buf_view(&heard.body)));
    assert_true(json_is_false(json_object_get(heard.line, "refused")));
    assert_null(json_object_get(heard.line, "warning"));
    gr_buf_fini(&here);
    gr_arena_fini(&arena);
    forget(&heard);
}

static void test_same(void **state)
{
    struct rig *rig = *state;

    load(rig);
    assert_same(rig, ",\"output\":\"text\"", false, false);
    assert_same(rig, ",\"output\":\"text\",\"all\":true", false, true);
    assert_same(rig, ",\"output\":\"json\"", true, false);
    assert_same(rig, ",\"output\":\"json\",\"all\":true", true, true);
    rest(rig);
}

static void test_names(void **state)
{
    struct rig *rig = *state;
    struct heard heard;
    json_t *hashes;

    load(rig);
    heard =
        hear(rig, ask(rig, ",\"output\":\"text\",\"sets\":[\"first-3\"],\"recorded\":[\"first-4\","
                           "\"gone\",7]"));
    assert_true(tells_of(&heard, "first-3 "));
    assert_false(tells_of(&heard, "first-7 "));
    hashes = json_object_get(heard.line, "recorded");
    assert_int_equal(json_object_size(hashes), 1);
    assert_int_equal(json_string_length(json_object_get(hashes, "first-4")), 16);
    forget(&heard);
    assert_refused(rig, ask(rig, ",\"output\":\"text\",\"sets\":[\"first-3\",\"second-3\"]"),
                   "unknown-set");
    assert_refused(rig, ask(rig, ",\"output\":\"text\",\"sets\":[[]]"), "unknown-set");
}

static void test_refused(void **state)
{
    struct rig *rig = *state;
    char other[8] = {GR_PACKED_FORM + 1};

    assert_refused(rig, ask(rig, ",\"output\":\"text\""), "rules-not-loaded");
    load(rig);
    assert_refused(rig, ask(rig, ",\"output\":\"yaml\""), "bad-word");
    assert_refused(rig, ask(rig, ""), "missing-key");
    assert_refused(rig, asking(rig, ",\"output\":\"text\"", GR_STR("no container")),
                   "bad-container");
    assert_refused(rig, asking(rig, ",\"output\":\"text\"", GR_STR_NONE), "bad-container");
    assert_refused(rig, asking(rig, ",\"output\":\"text\"", (struct gr_str){.p = other, .n = 8}),
                   "bad-container");
    rest(rig);
}

/* ---- limits ---- */

/* A container that is packed in just so many bytes. */
static struct gr_buf packed_of(size_t bytes)
{
    struct gr_subject s = container();
    struct gr_kv annotation = {.key = GR_STR("a")};
    char *text = calloc(1, bytes + 1);
    struct gr_buf body;

    assert_non_null(text);
    memset(text, 'x', bytes);
    s.pod_annotations = (struct gr_kvs){.items = &annotation, .n = 1};
    gr_buf_init(&body, SIZE_MAX / 2);
    assert_int_equal(gr_packed_write(&s, &body), 0);
    annotation.value = (struct gr_str){.p = text, .n = bytes - body.len};
    gr_buf_fini(&body);
    assert_int_equal(gr_packed_write(&s, &body), 0);
    assert_int_equal(body.len, bytes);
    free(text);
    return body;
}

static void say(struct rig *rig, int fd, struct gr_str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        assert_true(n > 0 || errno == EAGAIN);
        bytes = gr_str_skip(bytes, n > 0 ? (size_t)n : 0);
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
    }
}

static void test_largest_container(void **state)
{
    struct rig *rig = *state;
    char head[80];

    load(rig);
    for (size_t over = 0; over < 2; over++) {
        struct gr_buf body = packed_of(GR_CONTROL_BODY_MAX_BYTES + over);
        int fd = connected(rig);

        (void)snprintf(head, sizeof(head),
                       "{\"command\":\"explain\",\"output\":\"text\",\"bytes\":%zu}\n", body.len);
        say(rig, fd, gr_str_from(head));
        if (over == 0) {
            struct heard heard;

            say(rig, fd, gr_buf_view(&body));
            heard = hear(rig, fd);
            assert_true(tells_of(&heard, "first-7 "));
            forget(&heard);
        } else {
            assert_refused(rig, fd, "too-long");
        }
        gr_buf_fini(&body);
        rest(rig);
    }
}

static void test_largest_answer(void **state)
{
    struct rig *rig = *state;
    static const char *const outputs[] = {",\"output\":\"text\",\"all\":true",
                                          ",\"output\":\"json\",\"all\":true"};

    load(rig);
    for (size_t i = 0; i < GR_ARRAY_LEN(outputs); i++) {
        struct heard heard;
        size_t whole;

        rig->source.answer_max_bytes = 0;
        heard = hear(rig, ask(rig, outputs[i]));
        whole = heard.body.len;
        forget(&heard);
        rest(rig);
        rig->source.answer_max_bytes = whole;
        heard = hear(rig, ask(rig, outputs[i]));
        assert_int_equal(heard.body.len, whole);
        forget(&heard);
        rest(rig);
        for (size_t less = whole - 1; less > 0; less /= 2) {
            rig->source.answer_max_bytes = less;
            assert_refused(rig, ask(rig, outputs[i]), "reply-too-large");
            rest(rig);
        }
    }
}

static void test_most_memory(void **state)
{
    static const char *const outputs[] = {",\"output\":\"text\",\"all\":true",
                                          ",\"output\":\"json\",\"all\":true"};
    struct rig *rig = *state;
    struct heard heard;

    load(rig);
    for (size_t i = 0; i < GR_ARRAY_LEN(outputs); i++) {
        rig->source.memory_max_bytes = 1024;
        assert_refused(rig, ask(rig, outputs[i]), "no-memory");
        rest(rig);
        rig->source.memory_max_bytes = 1U << 20;
        heard = hear(rig, ask(rig, outputs[i]));
        assert_true(tells_of(&heard, "first-199"));
        forget(&heard);
        rest(rig);
    }
}

/* ---- what happens meanwhile ---- */

/* Up to the limit at one time; the next one may come when somebody has been served. */
static void test_many(void **state)
{
    struct rig *rig = *state;
    int fds[GR_CONTROL_EXPLAIN_MAX];

    load(rig);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < GR_CONTROL_EXPLAIN_MAX; i++)
            fds[i] = ask(rig, ",\"output\":\"json\",\"all\":true");
        while (rig->source.jobs < GR_CONTROL_EXPLAIN_MAX)
            turn(rig);
        assert_refused(rig, ask(rig, ",\"output\":\"text\""), "busy");
        for (size_t i = 0; i < GR_CONTROL_EXPLAIN_MAX; i++) {
            struct heard heard = hear(rig, fds[i]);

            assert_true(tells_of(&heard, "\"first-199\""));
            forget(&heard);
        }
        rest(rig);
    }
}

/* Before the words are made, while they are, and before they are taken. */
static void test_clients_leave(void **state)
{
    struct rig *rig = *state;

    load(rig);
    for (int round = 0; round < 30; round++) {
        int fd = ask(rig, ",\"output\":\"json\",\"all\":true");
        struct heard heard;

        while (rig->source.jobs == 0)
            turn(rig);
        for (int i = 0; i < round % 3; i++)
            (void)event_base_loop(rig->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        (void)close(fd);
        if (round % 5 == 0)
            gr_inforce_reload(rig->inforce, "test");
        rest(rig);
        heard = hear(rig, ask(rig, ",\"output\":\"text\""));
        assert_true(tells_of(&heard, "first-7 "));
        forget(&heard);
        rest(rig);
    }
}

/* The rules of the moment in which it was asked, though others come into force before the answer.
 */
static void test_reloads_meanwhile(void **state)
{
    static const char *const names[] = {"second", "first"};
    struct rig *rig = *state;

    load(rig);
    for (size_t round = 0; round < 6; round++) {
        const char *after = names[round % 2], *before = names[1 - round % 2];
        struct heard heard;
        int fd;

        put_sets(rig, after);
        gr_inforce_reload(rig->inforce, "test");
        fd = ask(rig, ",\"output\":\"text\",\"all\":true");
        while (rig->source.jobs == 0)
            turn(rig);
        load(rig);
        heard = hear(rig, fd);
        assert_true(tells_of(&heard, before) != tells_of(&heard, after));
        forget(&heard);
        rest(rig);
        heard = hear(rig, ask(rig, ",\"output\":\"text\",\"all\":true"));
        assert_true(tells_of(&heard, after) && !tells_of(&heard, before));
        forget(&heard);
        rest(rig);
    }
}

static void test_ends_meanwhile(void **state)
{
    struct rig *rig = *state;
    int fds[GR_CONTROL_EXPLAIN_MAX];
    char byte;

    load(rig);
    for (size_t i = 0; i < GR_CONTROL_EXPLAIN_MAX; i++)
        fds[i] = ask(rig, ",\"output\":\"text\",\"all\":true");
    while (rig->source.jobs < GR_CONTROL_EXPLAIN_MAX)
        turn(rig);
    end_process(rig);
    assert_int_equal(rig->source.jobs, 0);
    for (size_t i = 0; i < GR_CONTROL_EXPLAIN_MAX; i++) {
        while (recv(fds[i], &byte, 1, 0) > 0)
            ;
        (void)close(fds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest_container, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_most_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clients_leave, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reloads_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ends_meanwhile, setup, teardown),
    };

    return cmocka_run_group_tests_name("explain_control", tests, NULL, NULL);
}
