/* SPDX-License-Identifier: Apache-2.0 */
/* app/daemon/programs/collector: what is taken away beside which runtime, what is said, and when
 * nothing goes. */
#include "load/realfs.h"

#include "app/capturing.h"

#include <errno.h>
#include <semaphore.h>

#include "app/daemon/process/thread.h"
#include "app/daemon/programs/collector.h"
#include "nri.pb-c.h"
#include "nri/translate.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"
#define RULES UINT64_C(7)

/* ---- a thread that begins when it is let ---- */

static sem_t let;
static void *(*held_run)(void *);

static void *held_main(void *arg)
{
    while (sem_wait(&let) != 0)
        ;
    return held_run(arg);
}

/* In place of the plugin's own. */
int gr_thread_start(void *(*run)(void *), void *arg, size_t stack_bytes, pthread_t *out_thread)
{
    (void)stack_bytes;
    held_run = run;
    return -pthread_create(out_thread, NULL, held_main, arg);
}

/* ---- what the runtime tells ---- */

struct container {
    const char *id;
    const char *path; /* of a hook */
    const char *arg;
    bool unreadable;
};

static void tell_one(struct gr_nri_running *told, const struct container *from)
{
    Nri__SynchronizeRequest request = NRI__SYNCHRONIZE_REQUEST__INIT;
    Nri__PodSandbox pod = NRI__POD_SANDBOX__INIT, *pods[] = {&pod};
    Nri__Container container = NRI__CONTAINER__INIT, *containers[] = {&container};
    Nri__Hooks hooks = NRI__HOOKS__INIT;
    Nri__Hook hook = NRI__HOOK__INIT, *poststop[] = {&hook};
    char id[80], path[128], pod_id[] = "pod", other[] = "other";
    char *args[1] = {strdup(from->arg ? from->arg : "")};
    size_t n;
    uint8_t *bytes;

    (void)snprintf(id, sizeof(id), "%s", from->id);
    (void)snprintf(path, sizeof(path), "%s", from->path ? from->path : "/bin/true");
    pod.id = pod.name = pod_id;
    container.id = container.name = id;
    container.pod_sandbox_id = from->unreadable ? other : pod_id;
    hook.path = path;
    hook.args = args;
    hook.n_args = 1;
    hooks.poststop = poststop;
    hooks.n_poststop = 1;
    container.hooks = &hooks;
    request.pods = pods;
    request.containers = containers;
    request.n_pods = request.n_containers = 1;
    n = nri__synchronize_request__get_packed_size(&request);
    bytes = malloc(n);
    assert_true(bytes && args[0]);
    (void)nri__synchronize_request__pack(&request, bytes);
    gr_nri_running_add(told, (struct gr_str){.p = (char *)bytes, .n = n});
    free(bytes);
    free(args[0]);
}

/* ---- a plugin with a store ---- */

static struct event_base *base;
static struct gr_log logger;
static struct gr_collector *collector;
static struct gr_config config;
static struct captured captured;
static const char *runtime = "containerd";
static const char *named_by_rules; /* a digest; NULL: none */
static bool named_too_many;

static void age(const char *path)
{
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

    assert_int_equal(utimensat(AT_FDCWD, at(path), times, AT_SYMLINK_NOFOLLOW), 0);
}

static void put_digest(const char *digest)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "/p/net/%s", digest);
    dir(path, 0755);
    age(path);
}

/* ONE is old, and TWO is current. */
static void begin_store(void)
{
    begin();
    dir("/p", 0755);
    dir("/p/net", 0755);
    put_digest(ONE);
    put_digest(TWO);
    link_to("/p/net/current", TWO);
    age("/p/net/current");
    gr_config_init(&config);
    config.host_root = top;
    config.programs_dir = "/p";
    runtime = "containerd";
    named_by_rules = NULL;
    named_too_many = false;
    assert_int_equal(sem_init(&let, 0, 0), 0);
    base = event_base_new();
    assert_non_null(base);
    gr_log_init(&logger, "test");
    logger.syslog = false;
    logger.level = GR_LEVEL_DEBUG;
    assert_int_equal(gr_collector_new(base, &logger, &collector), 0);
}

static void end_store(void)
{
    gr_collector_free(collector);
    event_base_free(base);
    assert_int_equal(sem_destroy(&let), 0);
    end();
}

static void start(const struct container *containers)
{
    const struct gr_nri_origin origin = {.runtime_name = gr_str_from(runtime),
                                         .runtime_version = GR_STR("2")};
    struct gr_nri_running *told;
    struct gr_named named = {0};

    assert_int_equal(gr_nri_running_new(&origin, &told), 0);
    for (; containers && containers->id; containers++)
        tell_one(told, containers);
    gr_nri_running_finish(told);
    gr_named_begin(&named);
    named.rules_hash = RULES;
    named.has_rules = true;
    if (named_by_rules)
        named.digests[named.n++] = gr_str_from(named_by_rules);
    while (named_too_many && named.n < GR_NAMED_MAX)
        named.digests[named.n++] = GR_STR(TWO);
    named.known = !named_too_many;
    gr_collector_start(collector,
                       &(struct gr_collecting){.told = told, .named = &named, .config = &config});
    assert_false(named.known);
}

/* Lets it work, and takes what it says. */
static void finish(void)
{
    assert_int_equal(sem_post(&let), 0);
    capture_begin(&captured);
    assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    capture_end(&captured);
}

static void says(const char *text)
{
    if (!strstr(captured.text, text))
        fail_msg("expected %s in %s", text, captured.text);
}

static bool is_there(const char *digest)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "/p/net/%s", digest);
    return access(at(path), F_OK) == 0;
}

/* ---- beside a runtime that tells all ---- */

static void test_goes(void **state)
{
    static const struct container containers[] = {{.id = "a", .path = "/p/net/" TWO "/x"}, {0}};

    (void)state;
    begin_store();
    start(containers);
    finish();
    assert_false(is_there(ONE));
    assert_true(is_there(TWO));
    says("level=info msg=\"hook programs that nothing names were removed\" programs=net/" ONE);
    says("level=debug msg=\"the program store was looked through\" removed=1 kept=0");
    dir("/p/log", 0755); /* in which nothing stays */
    make("/p/log/.lock", "", 0600);
    age("/p/log");
    start(NULL);
    finish();
    says("removed=0 kept=0");
    assert_int_equal(access(at("/p/log"), F_OK), -1);
    end_store();
}

static void test_named(void **state)
{
    static const struct container by_path[] = {{.id = "a"}, {.id = "b", .path = "/" ONE "/x"}, {0}};
    static const struct container by_arg[] = {{.id = "a", .arg = "--lib=/p/net/" ONE}, {0}};

    (void)state;
    begin_store();
    start(by_path);
    finish();
    says("removed=0 kept=1");
    start(by_arg);
    finish();
    says("removed=0 kept=1");
    named_by_rules = ONE;
    start(NULL);
    finish();
    says("removed=0 kept=1");
    assert_true(is_there(ONE));
    end_store();
}

/* One of those that found no room may be of the store. */
static void test_too_many(void **state)
{
    (void)state;
    begin_store();
    named_too_many = true;
    start(NULL);
    finish();
    says("level=warning msg=\"hook programs that nothing names could not be removed\" "
         "code=named-limit error=\"expected at most 1024 digests");
    assert_true(is_there(ONE));
    named_by_rules = ONE; /* there is nothing that could go */
    start(NULL);
    finish();
    says("removed=0 kept=1");
    end_store();
}

/* Somebody's pod names more than anybody could count; only the store's own are. */
static void test_others(void **state)
{
    const size_t n = 4 * GR_NAMED_MAX;
    char *arg = malloc(n * 65 + 1);
    struct container containers[] = {{.id = "a"}, {0}};

    (void)state;
    assert_non_null(arg);
    for (size_t i = 0; i < n; i++)
        (void)snprintf(arg + i * 65, 66, "%064zx,", i);
    begin_store();
    containers[0].arg = arg;
    start(containers);
    finish();
    assert_false(is_there(ONE));
    end_store();
    free(arg);
}

static void test_unreadable(void **state)
{
    static const struct container containers[] = {{.id = "a", .unreadable = true}, {0}};

    (void)state;
    begin_store();
    start(containers);
    finish();
    says("level=warning msg=\"hook programs that nothing names could not be removed\" "
         "code=message-not-valid");
    start(containers);
    finish(); /* the same once */
    says("level=debug msg=\"hook programs that nothing names could not be removed\"");
    assert_true(is_there(ONE));
    named_by_rules = ONE;
    start(containers); /* nobody asks it */
    finish();
    says("removed=0 kept=1");
    named_by_rules = NULL;
    start(containers);
    finish();
    says("level=warning");
    end_store();
}

/* A container may have been created since with rules that nobody has told us of. */
static void test_other_rules(void **state)
{
    (void)state;
    begin_store();
    gr_collector_rules(collector, RULES + 1); /* nothing is under way */
    start(NULL);
    gr_collector_rules(collector, RULES);
    gr_collector_rules(collector, RULES + 1);
    gr_collector_rules(collector, RULES);
    finish();
    says("level=debug msg=\"hook programs that nothing names could not be removed\" code=stopped");
    assert_true(is_there(ONE));
    start(NULL);
    gr_collector_rules(collector, RULES);
    finish();
    assert_false(is_there(ONE));
    end_store();
}

static void test_busy(void **state)
{
    (void)state;
    begin_store();
    start(NULL);
    start(NULL); /* not twice at once */
    finish();
    says("removed=1");
    end_store();
}

/* Its end waits for the thread, which then takes nothing away any more. */
static void test_end(void **state)
{
    (void)state;
    begin_store();
    start(NULL);
    gr_collector_rules(collector, RULES + 1); /* as the end does, but before it is let */
    assert_int_equal(sem_post(&let), 0);
    gr_collector_free(collector);
    assert_true(is_there(ONE));
    event_base_free(base);
    end();
}

static void test_no_store(void **state)
{
    (void)state;
    begin_store();
    config.programs_dir = "";
    start(NULL);
    config.programs_dir = "/none";
    start(NULL);
    finish();
    says("removed=0 kept=0");
    end_store();
}

/* ---- beside CRI-O ---- */

#define STORAGE "/run/containers/storage"
#define CONTAINERS STORAGE "/overlay-containers"

static const struct container one_runs[] = {{.id = "runs", .path = "/p/net/" TWO "/x"}, {0}};

static void put_bundle(const char *id, const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof(path), CONTAINERS "/%s", id);
    dir(path, 0700);
    (void)snprintf(path, sizeof(path), CONTAINERS "/%s/userdata", id);
    dir(path, 0700);
    (void)snprintf(path, sizeof(path), CONTAINERS "/%s/userdata/config.json", id);
    make(path, text, 0600);
}

static void begin_crio(void)
{
    begin_store();
    runtime = "cri-o";
    dir("/run", 0755);
    dir("/run/containers", 0755);
    dir(STORAGE, 0700);
    dir(CONTAINERS, 0700);
    put_bundle("runs", "{}");
}

static void test_ended(void **state)
{
    (void)state;
    begin_crio();
    put_bundle("ended", "{\"env\": [\"A=\\u003c" ONE "\\u003e\"]}");
    start(one_runs);
    finish();
    says("removed=0 kept=1");
    remove_tree(at(CONTAINERS "/ended"));
    start(one_runs);
    finish();
    assert_false(is_there(ONE));
    end_store();
}

/* None runs: as when the node has just started. */
static void test_nothing_runs(void **state)
{
    (void)state;
    begin_crio();
    remove_tree(at(CONTAINERS "/runs"));
    start(NULL);
    finish();
    assert_false(is_there(ONE));
    end_store();
}

static void nothing_goes(const char *level, const char *code, const char *text)
{
    char expected[256];

    (void)snprintf(expected, sizeof(expected),
                   "level=%s msg=\"hook programs that nothing names could not be removed\" code=%s",
                   level, code);
    start(one_runs);
    finish();
    says(expected);
    says(text);
    start(one_runs);
    finish(); /* the same once */
    says("level=debug");
    assert_true(is_there(ONE));
}

static void test_not_seen(void **state)
{
    (void)state;
    begin_crio();
    config.crio_dir = "/elsewhere";
    nothing_goes("info", "crio-dir", "in /elsewhere the containers of CRI-O");
    says("name CRI-O's runroot with the setting crioDir");
    dir("/elsewhere", 0755); /* what an empty mount is */
    start(one_runs);
    finish();
    says("found no containers of anybody");
    config.crio_dir = "";
    start(one_runs);
    finish();
    says("crioDir: none");
    config.crio_dir = STORAGE;
    put_bundle("unreadable", "");
    assert_int_equal(unlink(at(CONTAINERS "/unreadable/userdata/config.json")), 0);
    link_to(CONTAINERS "/unreadable/userdata/config.json", "/etc/passwd");
    nothing_goes("warning", "crio-unreadable", "the config.json of the container unreadable");
    remove_tree(at(CONTAINERS "/unreadable"));
    start(one_runs);
    finish();
    assert_false(is_there(ONE));
    /* Where there is nothing to remove, nobody is asked. */
    config.crio_dir = "/none";
    start(one_runs);
    finish();
    says("removed=0 kept=0");
    end_store();
}

/* Rules that come while bundles are read count as they do before. */
static void test_ended_and_other_rules(void **state)
{
    (void)state;
    begin_crio();
    start(one_runs);
    gr_collector_rules(collector, RULES + 1);
    finish();
    says("code=stopped");
    assert_true(is_there(ONE));
    end_store();
}

int main(void)
{
    test_add("goes", test_goes);
    test_add("named", test_named);
    test_add("too many", test_too_many);
    test_add("others", test_others);
    test_add("unreadable", test_unreadable);
    test_add("other rules", test_other_rules);
    test_add("busy", test_busy);
    test_add("end", test_end);
    test_add("no store", test_no_store);
    test_add("ended", test_ended);
    test_add("nothing runs", test_nothing_runs);
    test_add("not seen", test_not_seen);
    test_add("ended, and other rules", test_ended_and_other_rules);
    return test_run("collector");
}
