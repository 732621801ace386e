/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of missed containers, the watch, the journal and the metrics. */
#include "testing.h"

#include <errno.h>

#include "app/daemon/status/status_problems.h"
#include "app/problem.h"

#define ITEMS_MAX 8

static struct gr_running_item items[ITEMS_MAX];
static const struct gr_settings settings;

static struct gr_view fine(void)
{
    return (struct gr_view){.session = {.state = GR_SESSION_READY},
                            .rules = {.sound = true, .settings = &settings},
                            .exporter = {.address = "", .textfile = ""}};
}

/* So many containers with so many sets each. */
static struct gr_view missed_view(size_t containers, size_t sets, size_t counted)
{
    static const char *const ids[] = {"c1", "c2", "c3", "c4"};
    struct gr_view view = fine();

    for (size_t i = 0; i < containers * sets; i++)
        items[i] = (struct gr_running_item){.id = gr_str_from(ids[i / sets]),
                                            .namespace_ = GR_STR("web"),
                                            .pod = GR_STR("shop"),
                                            .container = gr_str_from(ids[i / sets]),
                                            .set = GR_STR("tap"),
                                            .class = GR_RUNNING_MISSED};
    view.running = (struct gr_running_status){
        .known = true, .missed = counted, .items = items, .items_n = containers * sets};
    return view;
}

/* The document that has them; each has its code. */
static json_t *problems_of(const struct gr_view *view)
{
    json_t *reply = json_object();
    const json_t *codes;

    gr_status_problems(reply, view);
    codes = json_object_get(reply, "problemCodes");
    assert_int_equal(json_array_size(codes), json_array_size(json_object_get(reply, "problems")));
    for (size_t i = 0; i < json_array_size(codes); i++)
        assert_true(gr_problem_of_code(json_string_value(json_array_get(codes, i))) <
                    GR_PROBLEM_COUNT);
    return reply;
}

/* Exactly this problem; NULL: none. */
static void assert_problem(const struct gr_view *view, const char *expected)
{
    json_t *reply = problems_of(view);
    const json_t *list = json_object_get(reply, "problems");

    assert_int_equal(json_array_size(list), expected ? 1 : 0);
    if (expected)
        assert_string_equal(json_string_value(json_array_get(list, 0)), expected);
    json_decref(reply);
}

static void test_none(void **state)
{
    struct gr_view view = fine();

    (void)state;
    assert_problem(&view, NULL);
    view.running = (struct gr_running_status){.known = true, .outdated = 2, .preexisting = 3};
    assert_problem(&view, NULL);
    view.running = (struct gr_running_status){.known = false, .missed = 1};
    assert_problem(&view, NULL);
}

static void test_missed(void **state)
{
    static const struct {
        size_t containers, sets, counted;
        const char *text;
    } rows[] = {
        {1, 1, 1,
         "1 container runs without hooks that it should have: web/shop/c1; recreate its pod"},
        {1, 3, 1,
         "1 container runs without hooks that it should have: web/shop/c1; recreate its pod"},
        {3, 2, 3,
         "3 containers run without hooks that they should have: web/shop/c1, web/shop/c2, "
         "web/shop/c3; recreate their pods"},
        {4, 1, 4,
         "4 containers run without hooks that they should have: web/shop/c1, web/shop/c2, "
         "web/shop/c3 and 1 more; recreate their pods"},
        {0, 1, 2, "2 containers run without hooks that they should have; recreate their pods"},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        const struct gr_view view = missed_view(rows[i].containers, rows[i].sets, rows[i].counted);

        assert_problem(&view, rows[i].text);
    }
}

/* Of what cannot be read there is an id, if that. */
static void test_unreadable(void **state)
{
    static const struct {
        size_t items, counted;
        const char *text;
    } rows[] = {
        {1, 1,
         "1 running container cannot be read, so that whether it lacks hooks is not known: id u1; "
         "the log says why"},
        {3, 3,
         "3 running containers cannot be read, so that whether they lack hooks is not known: "
         "id u1, id u2 and 1 more; the log says why"}, /* the third has no id */
        {2, 9,
         "9 running containers cannot be read, so that whether they lack hooks is not known: "
         "id u1, id u2 and 7 more; the log says why"},
        {0, 2,
         "2 running containers cannot be read, so that whether they lack hooks is not known; "
         "the log says why"},
    };
    static const char *const ids[] = {"u1", "u2", ""};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        struct gr_view view = fine();

        for (size_t k = 0; k < rows[i].items; k++)
            items[k] =
                (struct gr_running_item){.id = gr_str_from(ids[k]), .class = GR_RUNNING_UNREADABLE};
        view.running = (struct gr_running_status){
            .known = true, .unreadable = rows[i].counted, .items = items, .items_n = rows[i].items};
        assert_problem(&view, rows[i].text);
    }
}

static void test_not_known(void **state)
{
    struct gr_view view = fine();

    (void)state;
    view.running = (struct gr_running_status){.problem = "there are too many"};
    assert_problem(&view, "whether containers were missed is not known: there are too many");
}

/* The longest names are not cut, nor is what is to be done. */
static void test_long_names(void **state)
{
    static char name[GR_RUNNING_NAME_MAX_BYTES];
    struct gr_view view = missed_view(3, 1, 1000);
    const char *text;
    json_t *reply;

    (void)state;
    memset(name, 'n', sizeof(name));
    for (size_t i = 0; i < 3; i++)
        items[i].namespace_ = items[i].pod = items[i].container =
            (struct gr_str){.p = name, .n = sizeof(name)};
    reply = problems_of(&view);
    text = json_string_value(json_array_get(json_object_get(reply, "problems"), 0));
    assert_non_null(text);
    assert_true(strlen(text) > sizeof(name) * 9);
    assert_non_null(strstr(text, " and 997 more; recreate their pods"));
    json_decref(reply);
}

static void test_around(void **state)
{
    struct gr_view view = fine();

    (void)state;
    view.watch.problem = "inotify cannot be used: no room";
    assert_problem(&view, "files are not watched: inotify cannot be used: no room");
    view = fine();
    view.journal.problem = "No space left on device";
    assert_problem(&view, "decisions are not recorded: No space left on device");
    view = fine();
    view.exporter.address = "127.0.0.1:9100";
    assert_problem(&view, NULL); /* not tried yet */
    view.exporter.error = -EADDRINUSE;
    assert_problem(&view, "the metrics cannot be served at 127.0.0.1:9100: Address already in use");
    view.exporter.error = -EACCES;
    assert_problem(&view,
                   "the metrics cannot be served at 127.0.0.1:9100: Permission denied; a port "
                   "below 1024 needs a capability, which only sandbox: None leaves");
    view.exporter.served = true;
    assert_problem(&view, NULL);
}

static void test_settings(void **state)
{
    struct gr_settings bad = {.file = GR_SETTINGS_PRESENT, .accepted_s = 1795000000};
    struct gr_view view = fine();

    (void)state;
    view.rules.settings = &bad;
    assert_problem(&view, NULL);
    view.rules.sound = false; /* what Configure carried */
    assert_problem(&view, "a source of settings has an error; what was good before counts");
    bad.file = GR_SETTINGS_LAST_GOOD;
    assert_problem(&view, "the settings file has an error; its text that was accepted at "
                          "2026-11-18T11:06:40Z counts");
    bad.file = GR_SETTINGS_NOTHING;
    assert_problem(&view, "the settings file has an error, and no earlier text of it is kept: "
                          "defaults count in place of what it sets");
}

static void test_unkept(void **state)
{
    struct gr_load_result load = {.unkept = 1};
    struct gr_view view = fine();
    struct gr_arena arena;
    struct gr_err err = {0};
    struct gr_ruleset *ruleset = NULL;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_ruleset_new(&arena, NULL, 0, NULL, &ruleset, &err), 0);
    view.rules.ruleset = ruleset;
    view.rules.load = &load;
    assert_problem(&view, "the accepted texts of 1 file cannot be kept: where the present text is "
                          "bad, its last good one counts as long as this process lives");
    load.unkept = 0;
    assert_problem(&view, NULL);
    gr_ruleset_unref(ruleset);
}

/* It comes before everything else. */
static void test_order(void **state)
{
    struct gr_view view = missed_view(1, 1, 1);
    const json_t *list;
    json_t *reply;

    (void)state;
    view.rules.sound = false;
    view.watch.problem = "w";
    reply = problems_of(&view);
    list = json_object_get(reply, "problems");
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(reply, "problemCodes"), 2)),
        "files-not-watched");
    assert_non_null(strstr(json_string_value(json_array_get(list, 0)), "1 container runs"));
    assert_string_equal(json_string_value(json_array_get(list, 2)), "files are not watched: w");
    json_decref(reply);
}

/* Two pods meet in each upgrade; nothing else is meant to be. */
static void test_others(void **state)
{
    const struct gr_instance_list pods = {
        .known = true,
        .n = 1,
        .items = {{.way = GR_WAY_POD, .name = "10-grapnel", .version = "0.1.0"}}};
    struct gr_instance self = {.way = GR_WAY_POD};
    struct gr_view view = fine();

    (void)state;
    view.self = &self;
    view.others = &pods;
    assert_problem(&view, NULL);
    self.way = GR_WAY_LAUNCHED;
    assert_problem(&view,
                   "another Grapnel runs on this node, in a pod (10-grapnel, version 0.1.0), "
                   "and both are asked about each container; keep one: grapnel doctor says "
                   "how");
}

int main(void)
{
    test_add("none", test_none);
    test_add("missed", test_missed);
    test_add("settings", test_settings);
    test_add("unkept", test_unkept);
    test_add("unreadable", test_unreadable);
    test_add("not_known", test_not_known);
    test_add("long_names", test_long_names);
    test_add("around", test_around);
    test_add("order", test_order);
    test_add("others", test_others);
    return test_run("status_problems");
}
