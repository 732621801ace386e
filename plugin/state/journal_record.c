/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal_record.h"

#include <errno.h>

#include "base/json.h"
#include "base/utf8.h"
#include "state/limits.h"

/* A value takes two bytes of a line at least. */
#define NODES_MAX (GR_JOURNAL_RECORD_MAX_BYTES / 2)
#define TIME_MAX_S (UINT64_C(1) << 40)

struct reader {
    struct gr_arena *arena;
    struct gr_str line;
    int failed; /* 0, GR_JOURNAL_DAMAGED or -ENOMEM: the first one */
};

static void fail(struct reader *r, int result)
{
    if (r->failed == 0)
        r->failed = result;
}

/* ---- values ---- */

/* The last of that name counts; NULL: there is none. */
static const struct gr_json_node *find(const struct reader *r, const struct gr_json_node *object,
                                       const char *name)
{
    const struct gr_json_node *found = NULL;
    const struct gr_json_node *node =
        object && object->kind == GR_JSON_OBJECT ? object->first : NULL;

    for (; node; node = node->next) {
        if (gr_json_match_key(gr_json_raw_key(r->line, node), gr_str_from(name)) == GR_JSON_SAME)
            found = node;
    }
    return found;
}

/* One of this kind, or NULL where there is none. */
static const struct gr_json_node *get(struct reader *r, const struct gr_json_node *object,
                                      const char *name, enum gr_json_kind kind)
{
    const struct gr_json_node *node = find(r, object, name);

    if (node && node->kind != kind) {
        fail(r, GR_JOURNAL_DAMAGED);
        return NULL;
    }
    return node;
}

static struct gr_str text_of(struct reader *r, const struct gr_json_node *node)
{
    struct gr_str text = GR_STR_NONE;

    if (node->kind != GR_JSON_STRING)
        fail(r, GR_JOURNAL_DAMAGED);
    else if (!gr_json_text(r->arena, gr_json_raw(r->line, node), &text))
        fail(r, -ENOMEM);
    /* No text of a request holds a NUL byte, and what reads texts counts on that. */
    if (text.n > 0 && memchr(text.p, 0, text.n))
        fail(r, GR_JOURNAL_DAMAGED);
    return text;
}

static struct gr_str get_text(struct reader *r, const struct gr_json_node *object, const char *name)
{
    const struct gr_json_node *node = get(r, object, name, GR_JSON_STRING);

    return node ? text_of(r, node) : GR_STR_NONE;
}

static uint64_t get_number(struct reader *r, const struct gr_json_node *object, const char *name)
{
    const struct gr_json_node *node = get(r, object, name, GR_JSON_NUMBER);
    uint64_t number = 0;

    if (node && gr_str_to_u64(gr_json_raw(r->line, node), &number) != 0)
        fail(r, GR_JOURNAL_DAMAGED);
    return number;
}

static int64_t get_time(struct reader *r, const struct gr_json_node *object, const char *name)
{
    uint64_t time_s = get_number(r, object, name);

    if (time_s > TIME_MAX_S)
        fail(r, GR_JOURNAL_DAMAGED);
    return (int64_t)GR_MIN(time_s, TIME_MAX_S);
}

static bool get_bool(struct reader *r, const struct gr_json_node *object, const char *name)
{
    const struct gr_json_node *node = get(r, object, name, GR_JSON_BOOLEAN);

    return node && gr_str_is(gr_json_raw(r->line, node), "true");
}

static uint64_t hex_of(struct reader *r, struct gr_str text)
{
    uint64_t number = 0;

    if (gr_str_hex_to_u64(text, &number) != 0)
        fail(r, GR_JOURNAL_DAMAGED);
    return number;
}

static uint64_t get_hex(struct reader *r, const struct gr_json_node *object, const char *name)
{
    const struct gr_json_node *node = get(r, object, name, GR_JSON_STRING);

    return node ? hex_of(r, text_of(r, node)) : 0;
}

static void *array(struct reader *r, const struct gr_json_node *list, size_t bytes, size_t *out_n)
{
    size_t n = 0;
    void *items;

    for (const struct gr_json_node *node = list ? list->first : NULL; node; node = node->next)
        n++;
    items = gr_arena_array(r->arena, n, bytes);
    if (!items)
        fail(r, -ENOMEM);
    *out_n = items ? n : 0;
    return items;
}

/* ---- facts ---- */

static struct gr_kvs get_map(struct reader *r, const struct gr_json_node *object, const char *name)
{
    const struct gr_json_node *node = get(r, object, name, GR_JSON_OBJECT);
    struct gr_kvs map = {0};
    struct gr_kv *items = array(r, node, sizeof(*items), &map.n);

    node = map.n > 0 ? node->first : NULL;
    for (size_t i = 0; node; node = node->next, i++) {
        items[i].value = text_of(r, node);
        if (!gr_json_text(r->arena, gr_json_raw_key(r->line, node), &items[i].key))
            fail(r, -ENOMEM);
        else if (memchr(items[i].key.p, 0, items[i].key.n))
            fail(r, GR_JOURNAL_DAMAGED);
    }
    map.items = items;
    return map;
}

static struct gr_strs get_list(struct reader *r, const struct gr_json_node *object,
                               const char *name)
{
    const struct gr_json_node *node = get(r, object, name, GR_JSON_LIST);
    struct gr_strs list = {0};
    struct gr_str *items = array(r, node, sizeof(*items), &list.n);

    node = list.n > 0 ? node->first : NULL;
    for (size_t i = 0; node; node = node->next, i++)
        items[i] = text_of(r, node);
    list.items = items;
    return list;
}

static void get_mounts(struct reader *r, const struct gr_json_node *facts,
                       struct gr_subject *subject)
{
    const struct gr_json_node *node = get(r, facts, "mounts", GR_JSON_LIST);
    struct gr_mount *mounts = array(r, node, sizeof(*mounts), &subject->mounts_n);

    node = subject->mounts_n > 0 ? node->first : NULL;
    for (size_t i = 0; node; node = node->next, i++) {
        if (node->kind != GR_JSON_OBJECT)
            fail(r, GR_JOURNAL_DAMAGED);
        mounts[i] = (struct gr_mount){.destination = get_text(r, node, "destination"),
                                      .source = get_text(r, node, "source"),
                                      .type = get_text(r, node, "type")};
    }
    subject->mounts = mounts;
}

/* A field is known where its key is there; env is never recorded. */
static void find_unknown(const struct reader *r, const struct gr_json_node *head,
                         const struct gr_json_node *facts, struct gr_subject *subject)
{
    static const struct {
        const char *key;
        enum gr_field field;
        bool in_head;
    } keys[] = {
        {"namespace", GR_FIELD_NAMESPACE, true},
        {"pod", GR_FIELD_POD_NAME, true},
        {"container", GR_FIELD_CONTAINER_NAME, true},
        {"runtime", GR_FIELD_RUNTIME, false},
        {"runtimeHandler", GR_FIELD_RUNTIME_HANDLER, false},
        {"args", GR_FIELD_ARGS, false},
        {"args", GR_FIELD_COMMAND, false},
        {"mounts", GR_FIELD_MOUNTS, false},
        {"podLabels", GR_FIELD_POD_LABELS, false},
        {"containerLabels", GR_FIELD_CONTAINER_LABELS, false},
        {"podAnnotations", GR_FIELD_POD_ANNOTATIONS, false},
        {"containerAnnotations", GR_FIELD_CONTAINER_ANNOTATIONS, false},
    };

    subject->unknown_fields = 1U << GR_FIELD_ENV;
    for (size_t i = 0; i < GR_ARRAY_LEN(keys); i++) {
        if (!find(r, keys[i].in_head ? head : facts, keys[i].key))
            subject->unknown_fields |= 1U << keys[i].field;
    }
}

static void get_subject(struct reader *r, const struct gr_json_node *head,
                        struct gr_journal_decision *decision)
{
    const struct gr_json_node *facts = get(r, head, "facts", GR_JSON_OBJECT);
    struct gr_str image = get_text(r, head, "image");
    struct gr_str digest = get_text(r, facts, "imageDigest");
    struct gr_subject *subject = &decision->subject;

    decision->has_facts = facts != NULL;
    *subject = (struct gr_subject){
        .recorded = true,
        .id = get_text(r, head, "id"),
        .name = get_text(r, head, "container"),
        .pod_name = get_text(r, head, "pod"),
        .pod_namespace = get_text(r, head, "namespace"),
        .pod_uid = get_text(r, head, "podUid"),
        .runtime_handler = get_text(r, facts, "runtimeHandler"),
        .runtime = get_text(r, facts, "runtime"),
        .pod_labels = get_map(r, facts, "podLabels"),
        .container_labels = get_map(r, facts, "containerLabels"),
        .pod_annotations = get_map(r, facts, "podAnnotations"),
        .container_annotations = get_map(r, facts, "containerAnnotations"),
        .args = get_list(r, facts, "args"),
    };
    get_mounts(r, facts, subject);
    find_unknown(r, head, facts, subject);
    if (gr_image_parse(image, &subject->image) != 0 || get_bool(r, facts, "imageUnknown"))
        subject->image = (struct gr_image){.name = image};
    else if (subject->image.digest.n == 0)
        subject->image.digest = digest;
}

/* ---- decisions ---- */

static void get_sets(struct reader *r, const struct gr_json_node *head,
                     struct gr_journal_decision *decision)
{
    const struct gr_json_node *node = get(r, head, "sets", GR_JSON_LIST);
    struct gr_journal_set *sets = array(r, node, sizeof(*sets), &decision->sets_n);

    node = decision->sets_n > 0 ? node->first : NULL;
    for (size_t i = 0; node; node = node->next, i++) {
        if (node->kind != GR_JSON_OBJECT)
            fail(r, GR_JOURNAL_DAMAGED);
        sets[i] = (struct gr_journal_set){.name = get_text(r, node, "name"),
                                          .hash = get_text(r, node, "hash"),
                                          .verdict = get_text(r, node, "verdict"),
                                          .match = get_text(r, node, "match"),
                                          .reason = get_text(r, node, "reason")};
    }
    decision->sets = sets;
}

static void get_objections(struct reader *r, const struct gr_json_node *head,
                           struct gr_journal_decision *decision)
{
    const struct gr_json_node *node = get(r, head, "objections", GR_JSON_LIST);
    struct gr_journal_objection *items = array(r, node, sizeof(*items), &decision->objections_n);

    node = decision->objections_n > 0 ? node->first : NULL;
    for (size_t i = 0; node; node = node->next, i++) {
        if (node->kind != GR_JSON_OBJECT)
            fail(r, GR_JOURNAL_DAMAGED);
        items[i] = (struct gr_journal_objection){.kind = get_text(r, node, "kind"),
                                                 .set = get_text(r, node, "set"),
                                                 .verdict = get_text(r, node, "verdict"),
                                                 .reason = get_text(r, node, "reason")};
    }
    decision->objections = items;
}

static void get_dropped(struct reader *r, const struct gr_json_node *head,
                        struct gr_journal_decision *decision)
{
    const struct gr_json_node *node = get(r, head, "dropped", GR_JSON_LIST);
    struct gr_journal_dropped *items = array(r, node, sizeof(*items), &decision->dropped_n);

    node = decision->dropped_n > 0 ? node->first : NULL;
    for (size_t i = 0; node; node = node->next, i++) {
        if (node->kind != GR_JSON_OBJECT)
            fail(r, GR_JOURNAL_DAMAGED);
        items[i] = (struct gr_journal_dropped){.field = get_text(r, node, "field"),
                                               .bytes = get_number(r, node, "bytes")};
    }
    decision->dropped = items;
}

static void get_decision(struct reader *r, const struct gr_json_node *head,
                         struct gr_journal_decision *decision)
{
    *decision = (struct gr_journal_decision){
        .outcome = get_text(r, head, "outcome"),
        .refused = get_bool(r, head, "refused"),
        .refusal = get_text(r, head, "refusal"),
        .error = get_text(r, head, "error"),
        .hooks = get_number(r, head, "hooks"),
        .adjusted = get_number(r, head, "adjusted"),
        .sets_left_out = get_number(r, head, "setsLeftOut"),
    };
    if (decision->outcome.n == 0)
        fail(r, GR_JOURNAL_DAMAGED);
    get_sets(r, head, decision);
    get_objections(r, head, decision);
    get_dropped(r, head, decision);
    get_subject(r, head, decision);
}

/* ---- the others ---- */

static uint64_t known_of(struct reader *r, struct gr_str text)
{
    static const char letters[] = "-sim"; /* by enum gr_known */
    const char *letter = text.n > 1 && text.p[0] ? strchr(letters + 1, text.p[0]) : NULL;
    uint64_t hash = letter ? hex_of(r, gr_str_skip(text, 1)) : 1;

    if ((hash & 3) != 0)
        fail(r, GR_JOURNAL_DAMAGED);
    return letter ? hash | (uint64_t)(letter - letters) : hash;
}

static void get_ids(struct reader *r, const struct gr_json_node *head,
                    struct gr_journal_record *record)
{
    const struct gr_json_node *node = get(r, head, "ids", GR_JSON_LIST);
    uint64_t *ids = array(r, node, sizeof(*ids), &record->ids_n);

    record->part = get_number(r, head, "part");
    record->of = get_number(r, head, "of");
    record->complete = get_bool(r, head, "complete");
    record->session_ended_s = get_time(r, head, "sessionEnded");
    record->session_by = get_hex(r, head, "sessionBy");
    if (!node || record->part == 0 || record->part > record->of)
        fail(r, GR_JOURNAL_DAMAGED);
    node = record->ids_n > 0 ? node->first : NULL;
    for (size_t i = 0; node; node = node->next, i++)
        ids[i] = known_of(r, text_of(r, node));
    record->ids = ids;
}

static void get_session(struct reader *r, const struct gr_json_node *head,
                        struct gr_journal_record *record)
{
    struct gr_str event = get_text(r, head, "event");

    record->begun = gr_str_is(event, "begun");
    record->reason = get_text(r, head, "reason");
    if (!record->begun && !gr_str_is(event, "ended"))
        fail(r, GR_JOURNAL_DAMAGED);
}

static void get_missed(struct reader *r, const struct gr_json_node *head,
                       struct gr_journal_record *record)
{
    record->id = get_text(r, head, "id");
    record->set = get_text(r, head, "set");
    if (record->id.n == 0)
        fail(r, GR_JOURNAL_DAMAGED);
}

static enum gr_journal_kind kind_of(struct gr_str name)
{
    static const char *const names[] = {
        [GR_JOURNAL_DECISION] = "decision", [GR_JOURNAL_SESSION] = "session",
        [GR_JOURNAL_LISTED] = "listed",     [GR_JOURNAL_KNOWN] = "known",
        [GR_JOURNAL_MISSED] = "missed",     [GR_JOURNAL_RULES] = "rules",
    };

    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        if (gr_str_is(name, names[i]))
            return (enum gr_journal_kind)i;
    }
    return GR_JOURNAL_OTHER;
}

static void get_record(struct reader *r, const struct gr_json_node *head,
                       struct gr_journal_record *record)
{
    struct gr_str kind = get_text(r, head, "kind");

    *record = (struct gr_journal_record){
        .kind = kind_of(kind), .time_s = get_time(r, head, "time"), .by = get_hex(r, head, "by")};
    if (head->kind != GR_JSON_OBJECT || kind.n == 0)
        fail(r, GR_JOURNAL_DAMAGED);
    switch (record->kind) {
    case GR_JOURNAL_DECISION:
        get_decision(r, head, &record->decision);
        break;
    case GR_JOURNAL_SESSION:
        get_session(r, head, record);
        break;
    case GR_JOURNAL_LISTED:
    case GR_JOURNAL_KNOWN:
        get_ids(r, head, record);
        break;
    case GR_JOURNAL_MISSED:
        get_missed(r, head, record);
        break;
    case GR_JOURNAL_RULES:
        record->hash = get_hex(r, head, "hash");
        record->sets = get_number(r, head, "sets");
        break;
    case GR_JOURNAL_OTHER:
        break;
    }
}

int gr_journal_record_read(struct gr_arena *arena, struct gr_str line,
                           struct gr_journal_record *out_record)
{
    struct reader r = {.arena = arena, .line = line};
    struct gr_journal_record record;
    const struct gr_json_node *head = NULL;
    struct gr_err err = {0};
    int result;

    if (line.n >= GR_JOURNAL_RECORD_MAX_BYTES)
        return GR_JOURNAL_DAMAGED;
    result = gr_json_read_all(arena, line, NODES_MAX, &head, &err);
    if (result)
        return result == -ENOMEM ? result : GR_JOURNAL_DAMAGED;
    get_record(&r, head, &record);
    if (r.failed == 0)
        *out_record = record;
    return r.failed;
}
