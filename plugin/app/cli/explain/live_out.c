/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was decided about a container, as it was recorded.
 */
#include <inttypes.h>
#include <stdio.h>

#include "app/cli/shared/document.h"
#include "app/cli/explain/live.h"
#include "base/utc.h"
#include "base/utf8.h"
#include "rules/read/findings.h"

#define COLUMNS 11 /* as explain_text has them */
#define EARLIER_MAX 10
#define ID_SHOWN_BYTES 13

struct gr_strs gr_live_sets(const struct gr_live_found *found, struct gr_arena *arena)
{
    const struct gr_journal_decision *decision = &found->entry->decision;
    struct gr_str *names = gr_arena_array(arena, decision->sets_n, sizeof(*names));

    for (size_t i = 0; names && i < decision->sets_n; i++)
        names[i] = decision->sets[i].name;
    return (struct gr_strs){.items = names, .n = names ? decision->sets_n : 0};
}

/* What became of a set since then, in words for the text and for JSON; NULL: nothing. */
static const char *changed(const struct gr_journal_set *set, json_t *today)
{
    const char *name;
    json_t *hash;

    json_object_foreach(today, name, hash)
    {
        if (gr_str_is(set->name, name))
            return gr_str_is(set->hash, json_string_value(hash)) ? NULL : "changed";
    }
    return "gone";
}

/* Reasons are as long as a line may be, and whoever wrote the file may have put anything there. */
static void put_words(struct gr_str text)
{
    char line[1025];

    text = gr_str_first(text, sizeof(line) - 1);
    if (text.n > 0)
        memcpy(line, text.p, text.n);
    line[text.n] = '\0';
    gr_utf8_make_printable(line);
    (void)fputs(line, stdout);
}

static void put_set(const struct gr_journal_set *set, json_t *today)
{
    const char *since = changed(set, today);

    (void)printf("%-*s%s@%s", COLUMNS, gr_show(set->verdict).text, gr_show(set->name).text,
                 gr_show(set->hash).text);
    if (since)
        (void)printf("  (%s)", since[0] == 'g' ? "no longer there" : "its text has changed since");
    (void)fputc('\n', stdout);
    if (set->reason.n == 0)
        return;
    (void)printf("%*s", COLUMNS, "");
    put_words(set->reason);
    (void)fputc('\n', stdout);
}

static void put_outcome(const struct gr_journal_decision *decision)
{
    (void)fputs(gr_show(decision->outcome).text, stdout);
    if (decision->hooks > 0)
        (void)printf(", %" PRIu64 " %s", decision->hooks, decision->hooks == 1 ? "hook" : "hooks");
    if (decision->adjusted > 0)
        (void)printf(", %" PRIu64 " %s", decision->adjusted,
                     decision->adjusted == 1 ? "adjustment" : "adjustments");
    if (decision->error.n > 0)
        (void)fputs(decision->refused ? ", refused" : ", created without hooks", stdout);
    (void)fputc('\n', stdout);
    if (decision->refusal.n + decision->error.n == 0)
        return;
    (void)fputs("  ", stdout);
    put_words(decision->refusal.n > 0 ? decision->refusal : decision->error);
    (void)fputc('\n', stdout);
}

static void put_earlier(const struct gr_live_found *found)
{
    for (size_t i = 0; i < GR_MIN(found->earlier_n, (size_t)EARLIER_MAX); i++) {
        const struct gr_journal_entry *entry = found->earlier[i];
        char at[GR_UTC_BYTES];

        (void)printf("earlier    %s  %s  %s\n", gr_utc_text(entry->time_s, at),
                     gr_show(gr_str_first(entry->decision.subject.id, ID_SHOWN_BYTES)).text,
                     gr_show(entry->decision.outcome).text);
    }
    if (found->earlier_n > EARLIER_MAX)
        (void)printf("and %zu earlier ones\n", found->earlier_n - EARLIER_MAX);
}

void gr_live_text(const struct gr_live_found *found, json_t *today)
{
    const struct gr_journal_decision *decision = &found->entry->decision;
    char at[GR_UTC_BYTES];

    (void)printf("Recorded at %s, id %s: ", gr_utc_text(found->entry->time_s, at),
                 gr_show(gr_str_first(decision->subject.id, ID_SHOWN_BYTES)).text);
    put_outcome(decision);
    (void)fputc('\n', stdout);
    for (size_t i = 0; i < decision->sets_n; i++)
        put_set(&decision->sets[i], today);
    if (decision->sets_left_out > 0)
        (void)printf("%" PRIu64 " other sets were not recorded\n", decision->sets_left_out);
    for (size_t i = 0; i < decision->objections_n; i++) {
        (void)printf("%-*s", COLUMNS, gr_show(decision->objections[i].verdict).text);
        put_words(decision->objections[i].reason);
        (void)fputc('\n', stdout);
    }
    for (size_t i = 0; i < decision->dropped_n; i++)
        (void)printf("too large  %s, %" PRIu64 " bytes: not recorded\n",
                     gr_show(decision->dropped[i].field).text, decision->dropped[i].bytes);
    put_earlier(found);
    (void)fputs("\nToday's rules, with what was recorded:\n", stdout);
}

/* ---- JSON ---- */

static void set_number(json_t *object, const char *key, uint64_t number)
{
    (void)json_object_set_new(object, key,
                              json_integer((json_int_t)GR_MIN(number, (uint64_t)INT64_MAX)));
}

static json_t *sets_json(const struct gr_journal_decision *decision, json_t *today)
{
    json_t *list = json_array();

    for (size_t i = 0; i < decision->sets_n; i++) {
        const struct gr_journal_set *set = &decision->sets[i];
        json_t *object = json_object();

        gr_json_set_str(object, "name", set->name);
        gr_json_set_str(object, "hash", set->hash);
        gr_json_set_str(object, "verdict", set->verdict);
        gr_json_set_str(object, "match", set->match);
        gr_json_set_str(object, "reason", set->reason);
        gr_json_set_str(object, "since", gr_str_from(changed(set, today)));
        (void)json_array_append_new(list, object);
    }
    return list;
}

static json_t *objections_json(const struct gr_journal_decision *decision)
{
    json_t *list = json_array();

    for (size_t i = 0; i < decision->objections_n; i++) {
        const struct gr_journal_objection *objection = &decision->objections[i];
        json_t *object = json_object();

        gr_json_set_str(object, "kind", objection->kind);
        gr_json_set_str(object, "set", objection->set);
        gr_json_set_str(object, "verdict", objection->verdict);
        gr_json_set_str(object, "reason", objection->reason);
        (void)json_array_append_new(list, object);
    }
    return list;
}

static json_t *dropped_json(const struct gr_journal_decision *decision)
{
    json_t *list = json_array();

    for (size_t i = 0; i < decision->dropped_n; i++) {
        json_t *object = json_object();

        gr_json_set_str(object, "field", decision->dropped[i].field);
        set_number(object, "bytes", decision->dropped[i].bytes);
        (void)json_array_append_new(list, object);
    }
    return list;
}

static json_t *earlier_json(const struct gr_live_found *found)
{
    json_t *list = json_array();

    for (size_t i = 0; i < found->earlier_n; i++) {
        const struct gr_journal_entry *entry = found->earlier[i];
        json_t *object = json_object();

        gr_json_set_time(object, "time", entry->time_s);
        gr_json_set_str(object, "id", entry->decision.subject.id);
        gr_json_set_str(object, "outcome", entry->decision.outcome);
        (void)json_array_append_new(list, object);
    }
    return list;
}

json_t *gr_live_json(const struct gr_live_found *found, json_t *today)
{
    const struct gr_journal_decision *decision = &found->entry->decision;
    json_t *object = json_object();

    gr_json_set_time(object, "time", found->entry->time_s);
    gr_json_set_str(object, "id", decision->subject.id);
    gr_json_set_str(object, "podUid", decision->subject.pod_uid);
    gr_json_set_str(object, "outcome", decision->outcome);
    (void)json_object_set_new(object, "refused", json_boolean(decision->refused));
    gr_json_set_str(object, "refusal", decision->refusal);
    gr_json_set_str(object, "error", decision->error);
    set_number(object, "hooks", decision->hooks);
    set_number(object, "adjusted", decision->adjusted);
    (void)json_object_set_new(object, "sets", sets_json(decision, today));
    set_number(object, "setsLeftOut", decision->sets_left_out);
    if (decision->objections_n > 0)
        (void)json_object_set_new(object, "objections", objections_json(decision));
    if (decision->dropped_n > 0)
        (void)json_object_set_new(object, "dropped", dropped_json(decision));
    if (found->earlier_n > 0)
        (void)json_object_set_new(object, "earlier", earlier_json(found));
    return object;
}
