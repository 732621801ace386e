/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/running/running: Synchronize, rules, the journal and what comes out, on a loop. */
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

static void put_set(const struct rig *rig, const char *name, const char *more)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s.yaml", rig->hooks, name);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, HEAD MATCHES, name, more);
    (void)fclose(file);
}

static void clear_dir(const char *dir)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

/* ---- the process ---- */

static void on_changed(void *user)
{
    struct rig *rig = user;

    rig->loaded = true;
    if (rig->running)
        gr_running_rules_loaded(rig->running);
}

static void open_journal(struct rig *rig)
{
    struct gr_err err = {0};

    if (gr_journal_open(rig->run, &rig->journal, &err) != 0)
        fail_msg("%s", err.text);
}

static void start_process(struct rig *rig)
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

static void end_process(struct rig *rig)
{
    gr_running_free(gr_take(rig->running));
    gr_inforce_free(gr_take(rig->inforce));
    gr_journal_free(gr_take(rig->journal));
    event_base_free(gr_take(rig->base));
}

static void load(struct rig *rig)
{
    while (!rig->loaded)
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
}

static int setup(void **state)
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

static int teardown(void **state)
{
    struct rig *rig = *state;

    if (rig->base)
        end_process(rig);
    clear_dir(rig->dir);
    free(rig);
    return 0;
}

/* As if the process before had loaded these sets long ago. */
static void make_old(struct rig *rig)
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

static void make_mark(const struct rig *rig, const char *mark, char *out, size_t out_bytes)
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
static void tell_one(const struct rig *rig, struct gr_nri_running *told,
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

static struct gr_nri_running *begin_telling(void)
{
    const struct gr_nri_origin origin = {.runtime_name = GR_STR("containerd"),
                                         .runtime_version = GR_STR("2")};
    struct gr_nri_running *told;

    assert_int_equal(gr_nri_running_new(&origin, &told), 0);
    return told;
}

/* Synchronize of a session that has just begun; ends with an empty id. */
static void tell(struct rig *rig, const struct running *running)
{
    struct gr_nri_running *told = begin_telling();

    for (; running->id; running++)
        tell_one(rig, told, running);
    gr_nri_running_finish(told);
    gr_running_take(rig->running, told);
}

/* Turns of the loop until everything was looked at. */
static void look(struct rig *rig)
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
static void expect(const struct rig *rig, const char *expected)
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

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
}

/* Tells, looks and gives back how many warnings about missed containers there were. */
static size_t synchronize(struct rig *rig, const struct running *running)
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

static void session(const struct rig *rig, bool begun)
{
    (void)gr_journal_session(rig->journal, begun, GR_STR("test"));
}

/* A first process that has seen container old and was then stopped or killed; then a second one. */
static void live_twice(struct rig *rig, bool killed)
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

/* ---- tests ---- */

static void test_install(void **state)
{
    const struct running running[] = {{.id = "a"}, {.id = "b", .no_match = true}, {0}};
    struct rig *rig = *state;

    put_set(rig, "web", "");
    start_process(rig);
    expect(rig, "unknown 0 running");
    load(rig);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "2 running preexisting:a/web");
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0); /* and not after a reconnect either */
    expect(rig, "2 running preexisting:a/web");
}

static void check_away(struct rig *rig, bool killed)
{
    const struct running running[] = {
        {.id = "old"}, {.id = "new"}, {.id = "other", .no_match = true}, {0}};

    live_twice(rig, killed);
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "3 running missed:new/web preexisting:old/web");
    /* Once. */
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "3 running missed:new/web preexisting:old/web");
    /* Nor by the next process. */
    end_process(rig);
    start_process(rig);
    load(rig);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "3 running missed:new/web preexisting:old/web");
}

static void test_stopped(void **state)
{
    check_away(*state, false);
}

static void test_killed(void **state)
{
    check_away(*state, true);
}

/* A set that came while we were away has missed nothing, nor has one that was edited. */
static void test_edited(void **state)
{
    const struct running running[] = {{.id = "old"}, {.id = "new"}, {0}};
    struct rig *rig = *state;

    live_twice(rig, true);
    end_process(rig);
    put_set(rig, "web", ", order: 7");
    put_set(rig, "late", "");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "2 running preexisting:old/web preexisting:old/late preexisting:new/web "
                "preexisting:new/late");
}

/* What is missed stays so; a set that comes later is older for no container. */
static void test_missed_and_a_later_set(void **state)
{
    const struct running running[] = {{.id = "new"}, {0}};
    struct rig *rig = *state;

    live_twice(rig, true);
    assert_int_equal(synchronize(rig, running), 1);
    put_set(rig, "late", "");
    gr_inforce_reload(rig->inforce, "test");
    rig->loaded = false;
    load(rig);
    expect(rig, "1 running missed:new/web"); /* rules that change do not look again */
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "1 running missed:new/web preexisting:new/late");
}

static void test_marks(void **state)
{
    const struct running running[] = {{.id = "a", .mark = "web@"},
                                      {.id = "b", .mark = "web@0123456789abcdef"},
                                      {.id = "c", .mark = "webs@0123456789abcdef"},
                                      {.id = "d", .mark = "web@0123456789abcdef", .no_match = true},
                                      {.id = "e", .forged = "web@"},
                                      {0}};
    struct rig *rig = *state;

    put_set(rig, "web", "");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "5 running outdated:b/web preexisting:c/web preexisting:e/web");
}

static void test_age(void **state)
{
    struct rig *rig = *state;
    struct running running[] = {{.id = "later"}, {.id = "long-ago"}, {0}};

    put_set(rig, "web", "");
    start_process(rig);
    load(rig);
    /* Without a journal, as where the run directory cannot be used. */
    gr_journal_free(gr_take(rig->journal));
    running[0].created_s = (int64_t)time(NULL) + 3600;
    running[1].created_s = LONG_AGO;
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "2 running missed:later/web preexisting:long-ago/web");
    assert_int_equal(synchronize(rig, running), 0); /* once, also without a journal */
    expect(rig, "2 running missed:later/web preexisting:long-ago/web");
}

/* The last answer of a session may have come too late. */
static void test_lost_answer(void **state)
{
    const struct running running[] = {
        {.id = "first", .mark = "web@0123456789abcdef"}, {.id = "last"}, {.id = "old"}, {0}};
    struct rig *rig = *state;
    struct gr_inforce_status rules;
    struct gr_set_result result = {.verdict = GR_VERDICT_INJECTED};
    const struct gr_decision decision = {.results = &result, .results_n = 1, .hooks_n = 1};
    struct gr_subject subject = {.id = GR_STR("first")};
    const struct gr_session_event event = {.subject = &subject, .decision = &decision};

    live_twice(rig, false);
    assert_int_equal(synchronize(rig, &running[2]), 0);
    gr_inforce_status(rig->inforce, &rules);
    result.set = gr_ruleset_at(rules.ruleset, 0);
    for (int i = 0; i < 2; i++) {
        (void)gr_journal_decided(rig->journal, &subject, &decision, NULL, false);
        gr_running_created(rig->running, &event);
        subject.id = GR_STR("last");
    }
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "3 running missed:last/web outdated:first/web preexisting:old/web");
}

/* A plugin that the runtime launched ends with its session: the next one has only the journal. */
static void test_lost_answer_of_another_process(void **state)
{
    const struct running running[] = {{.id = "last"}, {.id = "old"}, {0}};
    const struct gr_decision decision = {.hooks_n = 1};
    const struct gr_subject subject = {.id = GR_STR("last")};
    struct rig *rig = *state;

    live_twice(rig, false);
    assert_int_equal(synchronize(rig, &running[1]), 0);
    (void)gr_journal_decided(rig->journal, &subject, &decision, NULL, false);
    session(rig, false);
    end_process(rig);
    start_process(rig);
    load(rig);
    session(rig, true);
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "2 running missed:last/web preexisting:old/web");
}

/* What is created while others are looked at is not forgotten. */
static void test_created_meanwhile(void **state)
{
    const struct running running[] = {{.id = "old"}, {0}};
    const struct running later[] = {{.id = "old"}, {.id = "meanwhile"}, {0}};
    struct rig *rig = *state;
    struct gr_subject subject = {.id = GR_STR("meanwhile")};
    const struct gr_decision decision = {0};
    const struct gr_session_event event = {.subject = &subject, .decision = &decision};

    live_twice(rig, true);
    tell(rig, running);
    (void)gr_journal_decided(rig->journal, &subject, &decision, NULL, false);
    gr_running_created(rig->running, &event);
    look(rig);
    assert_int_equal(gr_journal_known(rig->journal, GR_STR("meanwhile")), GR_KNOWN_SEEN);
    session(rig, false);
    session(rig, true);
    assert_int_equal(synchronize(rig, later), 0);
    expect(rig, "2 running preexisting:old/web preexisting:meanwhile/web");
}

static void test_unreadable(void **state)
{
    const struct running running[] = {{.id = "a", .unreadable = true}, {.id = "b"}, {0}};
    struct rig *rig = *state;

    put_set(rig, "web", "");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 1);
    expect(rig, "2 running 1 unreadable unreadable:a/ preexisting:b/web");
    assert_int_equal(synchronize(rig, running), 0); /* once */
    assert_int_equal(gr_journal_known(rig->journal, GR_STR("a")), GR_KNOWN_SEEN);
}

/* Rules that come later than the runtime's list. */
static void test_waits_for_rules(void **state)
{
    const struct running running[] = {{.id = "a"}, {0}};
    struct rig *rig = *state;

    put_set(rig, "web", "");
    start_process(rig);
    tell(rig, running);
    for (int i = 0; i < 10 && !rig->loaded; i++)
        (void)event_base_loop(rig->base, EVLOOP_NONBLOCK);
    if (!rig->loaded)
        expect(rig, "unknown 0 running");
    load(rig);
    look(rig);
    expect(rig, "1 running preexisting:a/web");
}

static void test_sets_that_do_not_count(void **state)
{
    const struct running running[] = {{.id = "new"}, {0}};
    struct rig *rig = *state;

    put_set(rig, "web", ", mode: Observe");
    put_set(rig, "away", ", nodes: {names: [elsewhere]}");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 0);
    expect(rig, "1 running");
}

/* ---- unknown, and many ---- */

static uint64_t looks(const struct rig *rig)
{
    struct gr_running_status status;

    gr_running_status(rig->running, &status);
    return status.looks;
}

/* Not to be read at one time does not undo what was missed. */
static void test_missed_and_unreadable(void **state)
{
    const struct running first[] = {{.id = "new"}, {.id = "old"}, {0}};
    const struct running second[] = {{.id = "new", .unreadable = true}, {.id = "old"}, {0}};
    struct rig *rig = *state;

    live_twice(rig, true);
    assert_int_equal(synchronize(rig, first), 1);
    expect(rig, "2 running missed:new/web preexisting:old/web");
    assert_int_equal(synchronize(rig, second), 0);
    expect(rig, "2 running 1 unreadable unreadable:new/ preexisting:old/web");
    assert_int_equal(synchronize(rig, first), 0);
    expect(rig, "2 running missed:new/web preexisting:old/web");
}

static void test_unknown(void **state)
{
    const struct running running[] = {{.id = "a"}, {0}};
    struct rig *rig = *state;
    struct gr_nri_running *told;
    struct gr_running_status status;
    uint64_t before;

    put_set(rig, "web", "");
    start_process(rig);
    load(rig);
    assert_int_equal(synchronize(rig, running), 0);
    before = looks(rig);
    capture_begin(&rig->captured);
    gr_running_take(rig->running, NULL);
    assert_int_equal(looks(rig), before + 1); /* what was known is gone */
    for (int i = 0; i < 2; i++) {
        told = begin_telling();
        for (size_t n = 0; n <= GR_NRI_RUNNING_MAX_OBJECTS; n++)
            gr_nri_running_add(told, GR_STR("\x0a\x00"));
        gr_nri_running_finish(told);
        gr_running_take(rig->running, told);
    }
    capture_end(&rig->captured);
    assert_int_equal(count(rig->captured.text, "is not known"), 1); /* once */
    expect(rig, "unknown 0 running");
    gr_running_status(rig->running, &status);
    assert_string_equal(status.problem, "the runtime tells of more containers than are kept");
    assert_int_equal(gr_journal_known(rig->journal, GR_STR("a")), GR_KNOWN_SEEN);
    before = looks(rig);
    assert_int_equal(synchronize(rig, running), 0);
    assert_int_equal(looks(rig), before + 1);
    expect(rig, "1 running preexisting:a/web");
    gr_running_status(rig->running, &status);
    assert_null(status.problem);
}

struct reader {
    struct rig *rig;
    struct event *event;
    int peer;
    size_t early; /* requests that were read before everything was looked at */
};

/* Somebody who asks again and again. */
static void on_request(evutil_socket_t fd, short what, void *arg)
{
    struct reader *reader = arg;
    struct gr_running_status status;
    char byte;

    (void)what;
    gr_running_status(reader->rig->running, &status);
    assert_int_equal(read((int)fd, &byte, 1), 1);
    if (status.known)
        return;
    reader->early++;
    assert_int_equal(write(reader->peer, "x", 1), 1);
}

/* Beyond the bounds containers are counted; and somebody who asks meanwhile need not wait. */
static void test_many(void **state)
{
    const size_t n = GR_RUNNING_MISSED_MAX + 1;
    struct rig *rig = *state;
    struct gr_nri_running *told = begin_telling();
    struct reader reader = {.rig = rig};
    struct gr_running_status s;
    char name[32];
    int pair[2];

    live_twice(rig, true);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(name, sizeof(name), "new-%zu", i);
        tell_one(rig, told, &(struct running){.id = name});
    }
    for (size_t i = 0; i <= GR_RUNNING_OTHERS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "marked-%zu", i);
        tell_one(rig, told, &(struct running){.id = name, .mark = "web@0123456789abcdef"});
    }
    gr_nri_running_finish(told);
    capture_begin(&rig->captured);
    /* The status of before is forgotten, so that an early answer can be told from a late one. */
    gr_running_take(rig->running, NULL);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    reader.peer = pair[1];
    reader.event = event_new(rig->base, pair[0], EV_READ | EV_PERSIST, on_request, &reader);
    assert_int_equal(event_add(reader.event, NULL), 0);
    gr_running_take(rig->running, told);
    assert_int_equal(write(pair[1], "x", 1), 1);
    look(rig);
    capture_end(&rig->captured);
    assert_true(reader.early >= n / 64);
    gr_running_status(rig->running, &s);
    assert_int_equal(s.running, n + GR_RUNNING_OTHERS_MAX + 1);
    assert_int_equal(s.missed, n);
    assert_int_equal(s.outdated, GR_RUNNING_OTHERS_MAX + 1);
    assert_int_equal(s.items_n, GR_RUNNING_MISSED_MAX + GR_RUNNING_OTHERS_MAX);
    assert_str(s.items[GR_RUNNING_MISSED_MAX - 1].id, "new-999");
    assert_int_equal(s.items[GR_RUNNING_MISSED_MAX].class, GR_RUNNING_OUTDATED);
    assert_int_equal(gr_journal_known(rig->journal, GR_STR("new-1000")), GR_KNOWN_MISSED);
    event_free(reader.event);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_install),
        TEST(test_stopped),
        TEST(test_killed),
        TEST(test_edited),
        TEST(test_missed_and_a_later_set),
        TEST(test_marks),
        TEST(test_age),
        TEST(test_lost_answer),
        TEST(test_lost_answer_of_another_process),
        TEST(test_created_meanwhile),
        TEST(test_unreadable),
        TEST(test_missed_and_unreadable),
        TEST(test_waits_for_rules),
        TEST(test_sets_that_do_not_count),
        TEST(test_unknown),
        TEST(test_many),
    };

    return cmocka_run_group_tests_name("running", tests, NULL, NULL);
}
