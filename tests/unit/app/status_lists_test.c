/* SPDX-License-Identifier: Apache-2.0 */
/* What a reply has of long lists, at the limits and beyond. */
#include "testing.h"

#include "app/control_limits.h"
#include "app/daemon/status_lists.h"

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

int main(void)
{
    gr_finding_list_init(&none);
    gr_finding_list_init(&findings);
    test_add("edge", test_edge);
    test_add("bytes", test_bytes);
    test_add("findings", test_findings);
    test_add("pages", test_pages);
    return test_run("status_lists");
}
