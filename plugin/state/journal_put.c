/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal_put.h"

#include <errno.h>
#include <inttypes.h>

#include "base/json.h"
#include "base/utf8.h"
#include "state/limits.h"

#define REASON_MAX_BYTES 512
#define FIELDS 16
#define TAIL_BYTES 1024 /* kept for what was left out: a name and a number for each of FIELDS */

/* A record in the making: what goes past limit is taken back. */
struct putter {
    struct gr_buf *out;
    size_t start, limit; /* offsets in out */
    struct {
        const char *field;
        size_t bytes;
    } dropped[FIELDS];
    size_t dropped_n;
};

const char *gr_journal_outcome(const struct gr_decision *decision, bool refused)
{
    if (!decision)
        return "error";
    if (refused)
        return "refused";
    if (decision->hooks_n > 0)
        return "injected";
    if (decision->adjust_n > 0)
        return "adjusted";
    return decision->exempt ? "exempt" : "unmatched";
}

static bool is_over(const struct putter *p)
{
    return p->out->broken || p->out->len > p->limit;
}

/* Takes back what was put since: there is no room for it, or it is no UTF-8. */
static void take_back(struct putter *p, size_t since)
{
    p->out->len = since;
    if (p->out->broken != -ENOMEM)
        p->out->broken = 0;
}

static void begin(struct putter *p, struct gr_buf *out, const char *kind,
                  const struct gr_journal_stamp *stamp)
{
    *p = (struct putter){.out = out,
                         .start = out->len,
                         .limit = out->len + GR_JOURNAL_RECORD_MAX_BYTES - TAIL_BYTES};
    (void)gr_buf_printf(out, "{\"kind\":\"%s\",\"time\":%" PRId64 ",\"by\":\"%08" PRIx64 "\"", kind,
                        GR_MAX(stamp->time_s, (int64_t)0), stamp->by);
}

static int end(struct putter *p)
{
    (void)gr_buf_text(p->out, "}\n");
    if (p->out->broken)
        p->out->len = p->start;
    return p->out->broken;
}

static void next(struct putter *p)
{
    char last = p->out->len > 0 ? (char)p->out->data[p->out->len - 1] : '[';

    if (last != '[' && last != '{')
        (void)gr_buf_byte(p->out, ',');
}

static void key(struct putter *p, const char *name)
{
    next(p);
    (void)gr_buf_byte(p->out, '"');
    (void)gr_buf_text(p->out, name);
    (void)gr_buf_text(p->out, "\":");
}

/* ---- texts ---- */

/* False: it is no UTF-8, or it does not fit; what is put then is for the caller to take back. */
static bool quote(struct putter *p, struct gr_str text)
{
    return text.n <= GR_JOURNAL_RECORD_MAX_BYTES && gr_json_quote(p->out, text) == 0;
}

static void drop(struct putter *p, const char *name, size_t bytes)
{
    if (p->dropped_n < FIELDS) {
        p->dropped[p->dropped_n].field = name;
        p->dropped[p->dropped_n++].bytes = bytes;
    }
}

/* A text that something is decided by: whole, or not at all. */
static void put_whole(struct putter *p, const char *name, struct gr_str text)
{
    size_t since = p->out->len;

    key(p, name);
    if (text.n <= GR_JOURNAL_TEXT_MAX_BYTES && quote(p, text) && !is_over(p))
        return;
    take_back(p, since);
    drop(p, name, text.n);
}

/* A text for people: cut where it is too long; nothing where it is empty. */
static void put_words(struct putter *p, const char *name, struct gr_str text, size_t max)
{
    size_t since = p->out->len;

    if (text.n == 0)
        return;
    key(p, name);
    if (!quote(p, gr_str_first(text, gr_utf8_valid_prefix(gr_str_first(text, max)))) || is_over(p))
        take_back(p, since);
}

/* ---- facts ---- */

static size_t bytes_of_map(struct gr_kvs map)
{
    size_t n = 0;

    for (size_t i = 0; i < map.n; i++)
        n += map.items[i].key.n + map.items[i].value.n;
    return n;
}

static void put_map(struct putter *p, const char *name, struct gr_kvs map)
{
    size_t since = p->out->len;
    bool fits = true;

    key(p, name);
    (void)gr_buf_byte(p->out, '{');
    for (size_t i = 0; i < map.n && fits; i++) {
        next(p);
        fits = quote(p, map.items[i].key) && gr_buf_byte(p->out, ':') == 0 &&
               quote(p, map.items[i].value) && !is_over(p);
    }
    (void)gr_buf_byte(p->out, '}');
    if (fits && !is_over(p))
        return;
    take_back(p, since);
    drop(p, name, bytes_of_map(map));
}

static void put_list(struct putter *p, const char *name, struct gr_strs list)
{
    size_t since = p->out->len;
    size_t bytes = 0;
    bool fits = true;

    key(p, name);
    (void)gr_buf_byte(p->out, '[');
    for (size_t i = 0; i < list.n; i++) {
        bytes += list.items[i].n;
        if (!fits)
            continue;
        next(p);
        fits = quote(p, list.items[i]) && !is_over(p);
    }
    (void)gr_buf_byte(p->out, ']');
    if (fits && !is_over(p))
        return;
    take_back(p, since);
    drop(p, name, bytes);
}

static bool put_mount(struct putter *p, const struct gr_mount *mount)
{
    next(p);
    return gr_buf_text(p->out, "{\"destination\":") == 0 && quote(p, mount->destination) &&
           gr_buf_text(p->out, ",\"source\":") == 0 && quote(p, mount->source) &&
           gr_buf_text(p->out, ",\"type\":") == 0 && quote(p, mount->type) &&
           gr_buf_byte(p->out, '}') == 0 && !is_over(p);
}

static void put_mounts(struct putter *p, const struct gr_subject *s)
{
    size_t since = p->out->len;
    size_t bytes = 0;
    bool fits = true;

    key(p, "mounts");
    (void)gr_buf_byte(p->out, '[');
    for (size_t i = 0; i < s->mounts_n; i++) {
        bytes += s->mounts[i].destination.n + s->mounts[i].source.n + s->mounts[i].type.n;
        fits = fits && put_mount(p, &s->mounts[i]);
    }
    (void)gr_buf_byte(p->out, ']');
    if (fits && !is_over(p))
        return;
    take_back(p, since);
    drop(p, "mounts", bytes);
}

static bool knows(const struct gr_subject *s, enum gr_field field)
{
    return !(s->unknown_fields & 1U << field);
}

static void put_facts(struct putter *p, const struct gr_subject *s)
{
    key(p, "facts");
    (void)gr_buf_byte(p->out, '{');
    if (knows(s, GR_FIELD_RUNTIME))
        put_whole(p, "runtime", s->runtime);
    if (knows(s, GR_FIELD_RUNTIME_HANDLER))
        put_whole(p, "runtimeHandler", s->runtime_handler);
    if (!s->image.known) {
        key(p, "imageUnknown");
        (void)gr_buf_text(p->out, "true");
    }
    if (s->image.digest.n > 0)
        put_whole(p, "imageDigest", s->image.digest);
    if (knows(s, GR_FIELD_POD_LABELS))
        put_map(p, "podLabels", s->pod_labels);
    if (knows(s, GR_FIELD_POD_ANNOTATIONS))
        put_map(p, "podAnnotations", s->pod_annotations);
    if (knows(s, GR_FIELD_CONTAINER_LABELS))
        put_map(p, "containerLabels", s->container_labels);
    if (knows(s, GR_FIELD_CONTAINER_ANNOTATIONS))
        put_map(p, "containerAnnotations", s->container_annotations);
    if (knows(s, GR_FIELD_ARGS))
        put_list(p, "args", s->args);
    if (knows(s, GR_FIELD_MOUNTS))
        put_mounts(p, s);
    (void)gr_buf_byte(p->out, '}');
}

/* ---- decisions ---- */

/* False: there is no room for it. */
static bool put_set(struct putter *p, const struct gr_set_result *result)
{
    size_t since = p->out->len;

    next(p);
    (void)gr_buf_text(p->out, "{\"name\":");
    (void)quote(p, result->set->name);
    (void)gr_buf_printf(p->out, ",\"hash\":\"%016" PRIx64 "\",\"verdict\":\"%s\",\"match\":\"%s\"",
                        result->set->hash, gr_verdict_name(result->verdict),
                        gr_truth_name(result->truth));
    put_words(p, "reason", result->reason, REASON_MAX_BYTES);
    (void)gr_buf_byte(p->out, '}');
    if (!is_over(p))
        return true;
    take_back(p, since);
    return false;
}

/* Those that are skipped may be thousands, and come last. */
static void put_sets(struct putter *p, const struct gr_decision *decision)
{
    size_t left_out = 0;

    key(p, "sets");
    (void)gr_buf_byte(p->out, '[');
    for (int skipped = 0; skipped < 2; skipped++) {
        for (size_t i = 0; i < decision->results_n; i++) {
            const struct gr_set_result *result = &decision->results[i];

            if ((result->verdict == GR_VERDICT_SKIPPED) == (skipped == 1))
                left_out += left_out > 0 || !put_set(p, result);
        }
    }
    (void)gr_buf_byte(p->out, ']');
    if (left_out > 0)
        (void)gr_buf_printf(p->out, ",\"setsLeftOut\":%zu", left_out);
}

static void put_objections(struct putter *p, const struct gr_decision *decision)
{
    bool fits = true;

    if (decision->objections_n == 0)
        return;
    key(p, "objections");
    (void)gr_buf_byte(p->out, '[');
    for (size_t i = 0; i < decision->objections_n && fits; i++) {
        const struct gr_objection *objection = &decision->objections[i];
        size_t since = p->out->len;

        next(p);
        (void)gr_buf_printf(p->out, "{\"kind\":\"%s\",\"verdict\":\"%s\"",
                            objection->kind == GR_OBJECTION_REQUIRED ? "required" : "request",
                            gr_verdict_name(objection->verdict));
        put_words(p, "set", objection->set, GR_JOURNAL_TEXT_MAX_BYTES);
        put_words(p, "reason", objection->reason, REASON_MAX_BYTES);
        (void)gr_buf_byte(p->out, '}');
        fits = !is_over(p);
        if (!fits)
            take_back(p, since);
    }
    (void)gr_buf_byte(p->out, ']');
}

static void put_head(struct putter *p, const struct gr_subject *s)
{
    put_whole(p, "id", s->id);
    if (knows(s, GR_FIELD_NAMESPACE))
        put_whole(p, "namespace", s->pod_namespace);
    if (knows(s, GR_FIELD_POD_NAME))
        put_whole(p, "pod", s->pod_name);
    if (knows(s, GR_FIELD_CONTAINER_NAME))
        put_whole(p, "container", s->name);
    put_whole(p, "podUid", s->pod_uid);
    put_whole(p, "image", s->image.name);
}

static void put_outcome(struct putter *p, const struct gr_decision *decision,
                        const struct gr_err *why, bool refused)
{
    key(p, "outcome");
    (void)gr_buf_printf(p->out, "\"%s\"", gr_journal_outcome(decision, refused));
    if (refused)
        (void)gr_buf_text(p->out, ",\"refused\":true");
    if (!decision) {
        put_words(p, "error", gr_str_from(why ? why->text : "unknown"), GR_ERR_TEXT_BYTES);
        return;
    }
    (void)gr_buf_printf(p->out, ",\"hooks\":%zu,\"adjusted\":%zu", decision->hooks_n,
                        decision->adjust_n);
    put_words(p, "refusal", decision->refusal, GR_JOURNAL_TEXT_MAX_BYTES);
    put_sets(p, decision);
    put_objections(p, decision);
}

static void put_dropped(struct putter *p)
{
    if (p->dropped_n == 0)
        return;
    key(p, "dropped");
    (void)gr_buf_byte(p->out, '[');
    for (size_t i = 0; i < p->dropped_n; i++)
        (void)gr_buf_printf(p->out, "%s{\"field\":\"%s\",\"bytes\":%zu}", i ? "," : "",
                            p->dropped[i].field, p->dropped[i].bytes);
    (void)gr_buf_byte(p->out, ']');
}

int gr_journal_put_decision(struct gr_buf *out, const struct gr_journal_stamp *stamp,
                            const struct gr_subject *subject, const struct gr_decision *decision,
                            const struct gr_err *why, bool refused)
{
    struct putter p;

    begin(&p, out, "decision", stamp);
    if (subject)
        put_head(&p, subject);
    p.limit = p.start + GR_JOURNAL_SETS_MAX_BYTES;
    put_outcome(&p, decision, why, refused);
    p.limit = p.start + GR_JOURNAL_RECORD_MAX_BYTES - TAIL_BYTES;
    if (subject)
        put_facts(&p, subject);
    put_dropped(&p);
    return end(&p);
}

/* ---- the others ---- */

int gr_journal_put_session(struct gr_buf *out, const struct gr_journal_stamp *stamp, bool begun,
                           struct gr_str reason)
{
    struct putter p;

    begin(&p, out, "session", stamp);
    (void)gr_buf_printf(out, ",\"event\":\"%s\"", begun ? "begun" : "ended");
    put_words(&p, "reason", reason, REASON_MAX_BYTES);
    return end(&p);
}

int gr_journal_put_missed(struct gr_buf *out, const struct gr_journal_stamp *stamp,
                          struct gr_str id, struct gr_str set)
{
    struct putter p;

    begin(&p, out, "missed", stamp);
    put_words(&p, "id", id, GR_JOURNAL_TEXT_MAX_BYTES);
    put_words(&p, "set", set, GR_JOURNAL_TEXT_MAX_BYTES);
    return end(&p);
}

int gr_journal_put_rules(struct gr_buf *out, const struct gr_journal_stamp *stamp, uint64_t hash,
                         size_t sets)
{
    struct putter p;

    begin(&p, out, "rules", stamp);
    (void)gr_buf_printf(out, ",\"hash\":\"%016" PRIx64 "\",\"sets\":%zu", hash, sets);
    return end(&p);
}

int gr_journal_put_known(struct gr_buf *out, const struct gr_journal_stamp *stamp,
                         const struct gr_journal_standing *standing)
{
    static const char letters[] = "-sim"; /* by enum gr_known */
    const struct gr_known_ids *ids = standing->ids;
    uint32_t of = GR_MAX((ids->n + GR_JOURNAL_IDS_PER_RECORD - 1) / GR_JOURNAL_IDS_PER_RECORD, 1U);
    uint32_t i = 0;
    int r = 0;

    for (uint32_t part = 1; part <= of && r == 0; part++) {
        uint32_t until = GR_MIN(ids->n, part * GR_JOURNAL_IDS_PER_RECORD);
        struct putter p;

        begin(&p, out, standing->listed ? "listed" : "known", stamp);
        (void)gr_buf_printf(out,
                            ",\"part\":%u,\"of\":%u,\"complete\":%s,\"sessionEnded\":%" PRId64
                            ",\"sessionBy\":\"%" PRIx64 "\",\"ids\":[",
                            part, of, standing->complete ? "true" : "false",
                            standing->session_ended_s, standing->session_by);
        for (; i < until; i++)
            (void)gr_buf_printf(out, "%s\"%c%016" PRIx64 "\"",
                                i % GR_JOURNAL_IDS_PER_RECORD ? "," : "",
                                letters[gr_known_state_at(ids, i)], gr_known_hash_at(ids, i));
        (void)gr_buf_byte(out, ']');
        r = end(&p);
    }
    return r;
}
