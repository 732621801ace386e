/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/status/status_around.h"

#include <string.h>

#include "app/json.h"

static json_t *watch_json(const struct gr_watch_status *watch)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "working", json_boolean(watch->working));
    gr_json_set_text(object, "problem", watch->problem);
    gr_json_set_count(object, "directories", watch->watches);
    gr_json_set_count(object, "events", watch->events);
    gr_json_set_count(object, "overflows", watch->overflows);
    return object;
}

/* So that whoever reads the journal can tell that it is ours: in a container the same path may be
 * another directory. */
static void set_directory(json_t *object, const char *run_dir)
{
    char text[GR_JSON_DIRECTORY_BYTES];

    if (gr_json_directory(run_dir, text))
        gr_json_set_text(object, "directory", text);
}

static json_t *journal_json(const struct gr_recorder_status *journal)
{
    json_t *object = json_object();

    gr_json_set_text(object, "runDir", journal->run_dir);
    if (journal->run_dir)
        set_directory(object, journal->run_dir);
    (void)json_object_set_new(object, "open", json_boolean(journal->open));
    gr_json_set_text(object, "problem", journal->problem);
    gr_json_set_count(object, "lost", journal->lost);
    if (!journal->open)
        return object;
    (void)json_object_set_new(object, "complete", json_boolean(journal->complete));
    gr_json_set_count(object, "known", journal->known);
    gr_json_set_count(object, "records", journal->records);
    gr_json_set_count(object, "damaged", journal->damaged);
    return object;
}

static json_t *metrics_json(const struct gr_view_exporter *exporter)
{
    json_t *object = json_object();

    gr_json_set_text(object, "address", exporter->address);
    (void)json_object_set_new(object, "served", json_boolean(exporter->served));
    if (!exporter->served && exporter->error)
        gr_json_set_text(object, "problem", strerror(-exporter->error));
    gr_json_set_text(object, "textfile", exporter->textfile);
    return object;
}

void gr_status_around(json_t *reply, const struct gr_view *view)
{
    (void)json_object_set_new(reply, "watch", watch_json(&view->watch));
    (void)json_object_set_new(reply, "journal", journal_json(&view->journal));
    (void)json_object_set_new(reply, "metrics", metrics_json(&view->exporter));
    gr_json_set_text(reply, "control", view->control);
}
