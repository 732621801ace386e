/* SPDX-License-Identifier: Apache-2.0 */
/* A process that compares containers with rules and journal, and what a runtime tells it. */
#ifndef GR_TESTS_APP_COMPARED_H
#define GR_TESTS_APP_COMPARED_H

#include "app/capturing.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "app/daemon/running/running.h"
#include "nri.pb-c.h"
#include "nri/translate.h"
#include "state/rundir.h"

#define HEAD "apiVersion: grapnel/v1beta1\nkind: HookSet\nmetadata: {name: %s}\nspec: "
#define MATCHES "{match: {podLabels: {app: web}}, hooks: {poststop: [{path: /bin/true}]}%s}\n"

#define LONG_AGO 1000000000 /* seconds since 1970 */

struct rig {
    char dir[64], hooks[80], run[80];
    const char *dirs[1];
    struct gr_flags flags;
    struct gr_log log;
    struct event_base *base;
    struct gr_inforce *inforce;
    struct gr_running *running;
    struct gr_journal *journal;
    bool loaded, finished;
    struct captured captured;
};

/* ---- files ---- */

static inline void put_set(const struct rig *rig, const char *name, const char *more)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s.yaml", rig->hooks, name);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, HEAD MATCHES, name, more);
    (void)fclose(file);
}

static inline void clear_dir(const char *dir)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

/* ---- the process ---- */

static inline void on_changed(void *user)
{
    struct rig *rig = user;

    rig->loaded = true;
    if (rig->running)
        gr_running_rules_loaded(rig->running);
}

static inline void open_journal(struct rig *rig)
{
    struct gr_err err = {0};

    if (gr_journal_open(rig->run, &rig->journal, &err) != 0)
        fail_msg("%s", err.text);
}

static inline void start_process(struct rig *rig)
{
    rig->base = event_base_new();
    assert_non_null(rig->base);
    open_journal(rig);
    assert_int_equal(
        gr_inforce_new(rig->base, &rig->flags, false, &rig->log, on_changed, rig, &rig->inforce),
        0);
    assert_int_equal(
        gr_running_new(rig->base, rig->inforce, &rig->log, &rig->journal, &rig->running), 0);
    rig->loaded = false;
}

static inline void end_process(struct rig *rig)
{
    gr_running_free(gr_take(rig->running));
    gr_inforce_free(gr_take(rig->inforce));
    gr_journal_free(gr_take(rig->journal));
    event_base_free(gr_take(rig->base));
}

static inline void load(struct rig *rig)
{
    while (!rig->loaded)
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
}

static inline int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    (void)umask(022);
    strcpy(rig->dir, "/tmp/grapnel-running-test.XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    (void)snprintf(rig->hooks, sizeof(rig->hooks), "%s/hooks.d", rig->dir);
    (void)snprintf(rig->run, sizeof(rig->run), "%s/run", rig->dir);
    assert_int_equal(mkdir(rig->hooks, 0755), 0);
    rig->dirs[0] = rig->hooks;
    gr_config_init(&rig->flags.config);
    rig->flags.config.hooks_dirs = rig->dirs;
    rig->flags.config.hooks_dirs_n = 1;
    rig->flags.config.run_dir = rig->run;
    rig->flags.config.last_good_dir = "";
    rig->flags.config.origins[GR_SETTING_HOOKS_DIRS].has = true;
    rig->flags.config.origins[GR_SETTING_RUN_DIR].has = true;
    rig->flags.config.origins[GR_SETTING_LAST_GOOD_DIR].has = true;
    gr_log_init(&rig->log, "test");
    rig->log.syslog = false;
    *state = rig;
    return 0;
}

static inline int teardown(void **state)
{
    struct rig *rig = *state;

    if (rig->base)
        end_process(rig);
    clear_dir(rig->dir);
    free(rig);
    return 0;
}

/* As if the process before had loaded these sets long ago. */
static inline void make_old(struct rig *rig)
{
    struct gr_buf text, old;
    struct gr_err err = {0};
    int dir = gr_rundir_open(rig->run, &err);
    struct gr_str rest, line;
    size_t at;

    assert_true(dir >= 0);
    gr_buf_init(&text, 4096);
    gr_buf_init(&old, 4096);
    assert_int_equal(gr_rundir_read(dir, GR_SINCE_FILE, 4096, &text), 0);
    rest = gr_buf_view(&text);
    for (bool head = true; rest.n > 0; head = false) {
        at = gr_str_find(rest, '\n');
        line = gr_str_first(rest, at);
        rest = gr_str_skip(rest, at + 1);
        if (!head) {
            assert_int_equal(gr_buf_printf(&old, "%d", LONG_AGO), 0);
            line = gr_str_skip(line, gr_str_find(line, ' '));
        }
        assert_int_equal(gr_buf_str(&old, line), 0);
        assert_int_equal(gr_buf_byte(&old, '\n'), 0);
    }
    assert_int_equal(gr_rundir_write(dir, GR_SINCE_FILE, gr_buf_view(&old)), 0);
    gr_buf_fini(&text);
    gr_buf_fini(&old);
    (void)close(dir);
}

/* ---- what Synchronize tells ---- */

struct running {
    const char *id;
    const char *mark;  /* "set@hash"; with "set@" the hash in force; NULL: none */
    int64_t created_s; /* 0: not told */
    bool no_match;
    bool unreadable;
    const char *forged; /* as mark, where a pod's or an image's author can write */
};

static inline void make_mark(const struct rig *rig, const char *mark, char *out, size_t out_bytes)
{
    struct gr_inforce_status rules;
    const struct gr_hookset *set;
    size_t at = gr_str_find(gr_str_from(mark), '@');
    char hash[17] = "";

    gr_inforce_status(rig->inforce, &rules);
    set = gr_ruleset_find(rules.ruleset, (struct gr_str){.p = mark, .n = at});
    if (mark[at + 1] == '\0') {
        assert_non_null(set);
        (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)set->hash);
    }
    (void)snprintf(out, out_bytes, GR_MARK_NAME "=%s%s", mark, hash);
}

/* One message with its pod: a pod may be told more than once. */
static inline void tell_one(const struct rig *rig, struct gr_nri_running *told,
                            const struct running *running)
{
    Nri__SynchronizeRequest request = NRI__SYNCHRONIZE_REQUEST__INIT;
    Nri__PodSandbox__LabelsEntry label = NRI__POD_SANDBOX__LABELS_ENTRY__INIT;
    Nri__PodSandbox__LabelsEntry *labels[] = {&label};
    Nri__PodSandbox__AnnotationsEntry annotation = NRI__POD_SANDBOX__ANNOTATIONS_ENTRY__INIT;
    Nri__PodSandbox__AnnotationsEntry *annotations[] = {&annotation};
    Nri__PodSandbox pod = NRI__POD_SANDBOX__INIT, *pods[] = {&pod};
    Nri__Container container = NRI__CONTAINER__INIT, *containers[] = {&container};
    Nri__Hooks hooks = NRI__HOOKS__INIT;
    Nri__Hook hook = NRI__HOOK__INIT, *poststop[] = {&hook};
    char id[80], name[] = "main", pod_id[80], ns[] = "prod", app[] = "app", web[] = "web",
                 db[] = "db", path[] = "/bin/true", mark[128], mark_name[] = GR_MARK_NAME;
    char *env[] = {mark};
    uint8_t *bytes;
    size_t n;

    (void)snprintf(id, sizeof(id), "%s", running->id);
    (void)snprintf(pod_id, sizeof(pod_id), "pod-%s", running->id);
    label.key = app;
    label.value = running->no_match ? db : web;
    pod.id = pod.name = pod_id;
    pod.namespace_ = ns;
    pod.labels = labels;
    pod.n_labels = 1;
    container.id = id;
    container.name = name;
    container.pod_sandbox_id = running->unreadable ? id : pod_id;
    container.created_at = running->created_s * INT64_C(1000000000);
    if (running->forged) {
        make_mark(rig, running->forged, mark, sizeof(mark));
        annotation.key = mark_name;
        annotation.value = strchr(mark, '=') + 1;
        container.env = container.args = env;
        container.n_env = container.n_args = 1;
        pod.annotations = annotations;
        pod.n_annotations = 1;
    }
    if (running->mark) {
        make_mark(rig, running->mark, mark, sizeof(mark));
        hook.path = path;
        hook.env = env;
        hook.n_env = 1;
        hooks.poststop = poststop;
        hooks.n_poststop = 1;
        container.hooks = &hooks;
    }
    request.pods = pods;
    request.containers = containers;
    request.n_pods = request.n_containers = 1;
    n = nri__synchronize_request__get_packed_size(&request);
    bytes = malloc(n + 16);
    assert_non_null(bytes);
    (void)nri__synchronize_request__pack(&request, bytes);
    gr_nri_running_add(told, (struct gr_str){.p = (char *)bytes, .n = n});
    free(bytes);
}

static inline struct gr_nri_running *begin_telling(void)
{
    const struct gr_nri_origin origin = {.runtime_name = GR_STR("containerd"),
                                         .runtime_version = GR_STR("2")};
    struct gr_nri_running *told;

    assert_int_equal(gr_nri_running_new(&origin, &told), 0);
    return told;
}

/* Synchronize of a session that has just begun; ends with an empty id. */
static inline void tell(struct rig *rig, const struct running *running)
{
    struct gr_nri_running *told = begin_telling();

    for (; running->id; running++)
        tell_one(rig, told, running);
    gr_nri_running_finish(told);
    gr_running_take(rig->running, told);
}

/* Turns of the loop until everything was looked at. */
static inline void look(struct rig *rig)
{
    for (int i = 0; i < 100000 && event_base_loop(rig->base, EVLOOP_NONBLOCK) == 0; i++) {
        struct gr_running_status status;

        gr_running_status(rig->running, &status);
        if (status.known)
            return;
    }
    fail_msg("%s", "not looked at");
}

/* The figures, and each item as class:container/set. */
static inline void expect(const struct rig *rig, const char *expected)
{
    struct gr_running_status s;
    char text[1024];
    size_t n;

    gr_running_status(rig->running, &s);
    n = (size_t)snprintf(text, sizeof(text), "%s%zu running", s.known ? "" : "unknown ", s.running);
    if (s.unreadable)
        n += (size_t)snprintf(text + n, sizeof(text) - n, " %zu unreadable", s.unreadable);
    for (size_t i = 0; i < s.items_n; i++) {
        bool read = s.items[i].class != GR_RUNNING_UNREADABLE;

        assert_str(s.items[i].container, read ? "main" : "");
        assert_str(s.items[i].namespace_, read ? "prod" : "");
        n += (size_t)snprintf(text + n, sizeof(text) - n, " %s:%.*s/%.*s",
                              gr_running_class_name(s.items[i].class), GR_STR_FMT(s.items[i].id),
                              GR_STR_FMT(s.items[i].set));
    }
    assert_string_equal(text, expected);
}

static inline size_t count(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
}

/* Tells, looks and gives back how many warnings about missed containers there were. */
static inline size_t synchronize(struct rig *rig, const struct running *running)
{
    capture_begin(&rig->captured);
    tell(rig, running);
    for (int i = 0; i < 1000; i++)
        (void)event_base_loop(rig->base, EVLOOP_NONBLOCK);
    capture_end(&rig->captured);
    look(rig);
    assert_int_equal(count(rig->captured.text, "running containers compared"), 1);
    return count(rig->captured.text, "level=warning");
}

static inline void session(const struct rig *rig, bool begun)
{
    (void)gr_journal_session(rig->journal, begun, GR_STR("test"));
}

/* A first process that has seen container old and was then stopped or killed; then a second one. */
static inline void live_twice(struct rig *rig, bool killed)
{
    const struct running first[] = {{.id = "old"}, {0}};

    put_set(rig, "web", "");
    start_process(rig);
    load(rig);
    session(rig, true);
    assert_int_equal(synchronize(rig, first), 0);
    expect(rig, "1 running preexisting:old/web");
    if (!killed)
        session(rig, false);
    end_process(rig);
    make_old(rig);
    start_process(rig);
    load(rig);
    session(rig, true);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
