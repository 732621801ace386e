/* SPDX-License-Identifier: Apache-2.0 */
/* What a reply has of long lists, at the limits and beyond. */
#include "testing.h"

#include "app/control_limits.h"
#include "app/daemon/status/status_lists.h"

#define FILES_MAX 300

static struct gr_file_report files[FILES_MAX];
static struct gr_load_result load;
static struct gr_finding_list none, findings;

/* So many files with paths of so many bytes; every third one is masked. */
static struct gr_view view_of(size_t n, size_t path_bytes)
{
    static char path[8192];

    memset(path, 'p', sizeof(path));
    for (size_t i = 0; i < n; i++) {
        files[i] = (struct gr_file_report){
            .path = {.p = path, .n = path_bytes},
            .state = i % 3 ? GR_FILE_LOADED : GR_FILE_MASKED,
        };
    }
    load = (struct gr_load_result){.files = files, .files_n = n};
    return (struct gr_view){
        .rules = {.load = &load, .findings = &findings, .settings_findings = &none, .loads = 7}};
}

static json_int_t more(const json_t *reply, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(reply, "more"), name));
}

static json_t *lists_of(size_t n, size_t path_bytes)
{
    const struct gr_view view = view_of(n, path_bytes);
    json_t *reply = json_object();

    gr_status_add_lists(reply, &view);
    return reply;
}

static void test_edge(void **state)
{
    json_t *reply = lists_of(GR_STATUS_LIST_MAX, 10);

    (void)state;
    assert_int_equal(json_array_size(json_object_get(reply, "files")), GR_STATUS_LIST_MAX);
    assert_int_equal(json_array_size(json_object_get(reply, "sets")), 0);
    assert_int_equal(json_object_size(json_object_get(reply, "more")), 0);
    json_decref(reply);
    /* One more: those that matter only. */
    reply = lists_of(GR_STATUS_LIST_MAX + 1, 10);
    assert_int_equal(json_array_size(json_object_get(reply, "files")), 34);
    assert_int_equal(more(reply, "files"), GR_STATUS_LIST_MAX + 1 - 34);
    json_decref(reply);
}

static void test_bytes(void **state)
{
    json_t *reply = lists_of(FILES_MAX, 4000);
    const json_t *array = json_object_get(reply, "files");
    size_t n = json_array_size(array);

    (void)state;
    assert_true(json_dumpb(array, NULL, 0, JSON_COMPACT) <= GR_STATUS_LIST_MAX_BYTES);
    assert_true(n >= 30 && n < FILES_MAX / 3);
    assert_int_equal(more(reply, "files"), FILES_MAX - n);
    json_decref(reply);
}

/* Lines of an error and of a warning, and more than could be kept. */
static void test_findings(void **state)
{
    struct gr_reporter reporter = gr_finding_list_reporter(&findings);
    struct gr_err err = {0};
    json_t *reply;

    (void)state;
    (void)gr_fail(&err, 0, "a-code", "text");
    for (size_t i = 0; i < GR_FINDINGS_KEPT_MAX + 5; i++)
        gr_report(&reporter, i < 490 ? GR_LEVEL_WARNING : GR_LEVEL_ERROR, &err);
    reply = lists_of(0, 0);
    assert_int_equal(json_array_size(json_object_get(reply, "findings")), 10);
    assert_int_equal(more(reply, "findings"), GR_FINDINGS_KEPT_MAX + 5 - 10);
    json_decref(reply);
    gr_finding_list_fini(&findings);
}

/* Page by page everything comes, once. */
static void test_pages(void **state)
{
    static const size_t path_bytes[] = {10, 4000};

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(path_bytes); i++) {
        const struct gr_view view = view_of(FILES_MAX, path_bytes[i]);
        size_t from = 0, pages = 0;

        do {
            json_t *reply = json_object();
            struct gr_err err = {0};
            size_t n;

            assert_int_equal(gr_status_page(&view, GR_STR("files"), from, reply, &err), 0);
            n = json_array_size(json_object_get(reply, "files"));
            assert_true(n > 0 && n <= GR_STATUS_LIST_MAX);
            assert_int_equal(json_integer_value(json_object_get(reply, "total")), FILES_MAX);
            assert_int_equal(json_integer_value(json_object_get(reply, "load")), 7);
            from += n;
            pages++;
            assert_int_equal(json_integer_value(json_object_get(reply, "next")),
                             from < FILES_MAX ? from : 0);
            json_decref(reply);
        } while (from < FILES_MAX);
        assert_int_equal(from, FILES_MAX);
        assert_true(i == 0 ? pages == 3 : pages > 3);
    }
}

/* ---- containers ---- */

#define MISSED 1000
#define OTHERS 200

static struct gr_running_item items[MISSED + OTHERS];

/* So many items, missed ones first; names of so many bytes. */
static struct gr_view lacking_view(size_t missed, size_t others, size_t name_bytes)
{
    struct gr_view view = view_of(0, 0);
    static char name[GR_RUNNING_NAME_MAX_BYTES];

    memset(name, 'n', sizeof(name));
    for (size_t i = 0; i < missed + others; i++) {
        struct gr_str text = {.p = name, .n = name_bytes};

        items[i] = (struct gr_running_item){
            .id = text,
            .namespace_ = text,
            .pod = text,
            .container = text,
            .set = text,
            .class = i < missed ? GR_RUNNING_MISSED : GR_RUNNING_OUTDATED,
        };
    }
    view.running = (struct gr_running_status){
        .known = true, .missed = missed, .items = items, .items_n = missed + others, .looks = 3};
    return view;
}

static void test_lacking(void **state)
{
    static const struct {
        size_t missed, others, shown;
    } rows[] = {
        {0, 0, 0},     {99, 1, 100},
        {100, 1, 100}, {3, 98, 3}, /* more than have a place: missed ones only */
        {0, 101, 0},   {MISSED, OTHERS, 100},
    };

    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(rows); i++) {
        const struct gr_view view = lacking_view(rows[i].missed, rows[i].others, 10);
        json_t *reply = json_object();
        size_t all = rows[i].missed + rows[i].others;

        gr_status_add_lists(reply, &view);
        assert_int_equal(json_array_size(json_object_get(reply, "lacking")), rows[i].shown);
        assert_int_equal(more(reply, "lacking"), all - rows[i].shown);
        json_decref(reply);
    }
}

/* With the longest names a reply stays small, and pages have all of them. */
static void test_lacking_pages(void **state)
{
    const struct gr_view view = lacking_view(MISSED, OTHERS, GR_RUNNING_NAME_MAX_BYTES);
    size_t from = 0;
    json_t *reply = json_object();

    (void)state;
    gr_status_add_lists(reply, &view);
    assert_true(json_dumpb(json_object_get(reply, "lacking"), NULL, 0, JSON_COMPACT) <=
                GR_STATUS_LIST_MAX_BYTES);
    json_decref(reply);
    do {
        struct gr_err err = {0};
        const json_t *page;

        reply = json_object();
        assert_int_equal(gr_status_page(&view, GR_STR("lacking"), from, reply, &err), 0);
        page = json_object_get(reply, "lacking");
        assert_true(json_array_size(page) > 0);
        assert_string_equal(json_string_value(json_object_get(json_array_get(page, 0), "class")),
                            from < MISSED ? "missed" : "outdated");
        from += json_array_size(page);
        assert_int_equal(json_integer_value(json_object_get(reply, "load")), 3);
        json_decref(reply);
    } while (from < MISSED + OTHERS);
    assert_int_equal(from, MISSED + OTHERS);
}

int main(void)
{
    gr_finding_list_init(&none);
    gr_finding_list_init(&findings);
    test_add("edge", test_edge);
    test_add("bytes", test_bytes);
    test_add("findings", test_findings);
    test_add("pages", test_pages);
    test_add("lacking", test_lacking);
    test_add("lacking_pages", test_lacking_pages);
    return test_run("status_lists");
}
