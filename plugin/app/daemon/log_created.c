/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/log_created.h"

#include "base/buf.h"

/* Names of sets in one list of a line. */
#define NAMES_MAX_BYTES 512

static void log_unread(const struct gr_log *log, const struct gr_session_event *event)
{
    const char *outcome = event->refused ? "refused" : "created without hooks";

    if (event->subject)
        GR_LOG_AUDIT(log, GR_LEVEL_ERROR, "no decision could be made about a container",
                     GR_LOG_STR("namespace", event->subject->pod_namespace),
                     GR_LOG_STR("pod", event->subject->pod_name),
                     GR_LOG_STR("container", event->subject->name),
                     GR_LOG_STR("id", event->subject->id), GR_LOG_TEXT("outcome", outcome),
                     GR_LOG_TEXT("error", event->err->text));
    else
        GR_LOG_AUDIT(log, GR_LEVEL_ERROR, "a CreateContainer request could not be read",
                     GR_LOG_TEXT("outcome", outcome), GR_LOG_TEXT("error", event->err->text),
                     GR_LOG_INT("bytes", event->request_bytes));
}

static enum gr_level level_of(const struct gr_set_result *result)
{
    switch (result->verdict) {
    case GR_VERDICT_IGNORED:
    case GR_VERDICT_REFUSED:
        return GR_LEVEL_WARNING;
    case GR_VERDICT_OBSERVED: /* the container's line names them, one for all of them */
    case GR_VERDICT_INJECTED:
    case GR_VERDICT_ALREADY:
    case GR_VERDICT_SKIPPED:
        break;
    }
    return GR_LEVEL_DEBUG;
}

static void log_sets(const struct gr_log *log, const struct gr_session_event *event)
{
    const struct gr_decision *decision = event->decision;

    for (size_t i = 0; i < decision->results_n; i++) {
        const struct gr_set_result *result = &decision->results[i];

        if (!gr_log_wants(log, level_of(result)))
            continue; /* before the line's fields are made: there may be thousands of skipped sets
                       */
        GR_LOG(log, level_of(result), "hook set", GR_LOG_STR("set", result->set->name),
               GR_LOG_TEXT("verdict", gr_verdict_name(result->verdict)),
               GR_LOG_TEXT("match", gr_truth_name(result->truth)),
               GR_LOG_STR("reason", result->reason),
               GR_LOG_STR("namespace", event->subject->pod_namespace),
               GR_LOG_STR("pod", event->subject->pod_name),
               GR_LOG_STR("container", event->subject->name), GR_LOG_STR("id", event->subject->id));
    }
}

/* What speaks against the container beside the sets that match. */
static void log_objections(const struct gr_log *log, const struct gr_session_event *event)
{
    const struct gr_decision *decision = event->decision;

    for (size_t i = 0; i < decision->objections_n; i++) {
        const struct gr_objection *objection = &decision->objections[i];

        GR_LOG(log, GR_LEVEL_WARNING,
               objection->kind == GR_OBJECTION_REQUEST ? "request denied" : "required set missing",
               GR_LOG_STR("set", objection->set),
               GR_LOG_TEXT("verdict", gr_verdict_name(objection->verdict)),
               GR_LOG_STR("reason", objection->reason),
               GR_LOG_STR("namespace", event->subject->pod_namespace),
               GR_LOG_STR("pod", event->subject->pod_name), GR_LOG_STR("id", event->subject->id));
    }
}

/* Two sets that want one key otherwise are a mistake of whoever wrote them. */
static void log_overridden(const struct gr_log *log, const struct gr_session_event *event)
{
    const struct gr_decision *decision = event->decision;

    for (size_t i = 0; i < decision->adjust_n; i++) {
        const struct gr_adjusted *adjusted = &decision->adjust[i];
        const struct gr_adjust_entry *entry = adjusted->entry;

        if (!adjusted->over)
            continue;
        GR_LOG(log, GR_LEVEL_WARNING, "two sets adjust one thing, the later one wins",
               GR_LOG_TEXT("kind", gr_adjust_kind_name(entry->kind)),
               GR_LOG_STR("key", gr_adjust_entry_key(entry)),
               GR_LOG_STR("set", adjusted->set->name), GR_LOG_STR("over", adjusted->over->name),
               GR_LOG_STR("id", event->subject->id));
    }
}

/* Names of sets, one behind the other, as many as fit. */
struct names {
    struct gr_buf injected, observed, paused;
};

static void names_init(struct names *names)
{
    gr_buf_init(&names->injected, NAMES_MAX_BYTES);
    gr_buf_init(&names->observed, NAMES_MAX_BYTES);
    gr_buf_init(&names->paused, NAMES_MAX_BYTES);
}

static void names_fini(struct names *names)
{
    gr_buf_fini(&names->injected);
    gr_buf_fini(&names->observed);
    gr_buf_fini(&names->paused);
}

/* Whole, or not at all. */
static void add_name(struct gr_buf *list, struct gr_str name)
{
    if (list->len + 1 + name.n > NAMES_MAX_BYTES)
        return;
    if (list->len > 0)
        (void)gr_buf_byte(list, ',');
    (void)gr_buf_str(list, name);
}

static void list_sets(const struct gr_decision *decision, struct names *names)
{
    for (size_t i = 0; i < decision->results_n; i++) {
        const struct gr_set_result *result = &decision->results[i];
        struct gr_buf *list = &names->injected;

        if (result->verdict == GR_VERDICT_OBSERVED)
            list = result->suspended ? &names->paused : &names->observed;
        else if (result->verdict != GR_VERDICT_INJECTED)
            continue;
        add_name(list, result->set->name);
    }
}

static bool has_observed(const struct gr_decision *decision)
{
    size_t i = 0;

    while (i < decision->results_n && decision->results[i].verdict != GR_VERDICT_OBSERVED)
        i++;
    return i < decision->results_n;
}

/* What was done to a container is for the audit, too. */
static void write_outcome(const struct gr_log *log, enum gr_level level, const char *message,
                          const struct gr_session_event *event, const struct names *names)
{
    bool done = event->refused || event->decision->hooks_n > 0 || event->decision->adjust_n > 0;
    const struct gr_subject *subject = event->subject;
    const struct gr_log_field fields[] = {
        GR_LOG_STR("namespace", subject->pod_namespace),
        GR_LOG_STR("pod", subject->pod_name),
        GR_LOG_STR("container", subject->name),
        GR_LOG_STR("id", subject->id),
        GR_LOG_STR("image", subject->image.name),
        GR_LOG_STR("sets", gr_buf_view(&names->injected)),
        GR_LOG_STR("observed", gr_buf_view(&names->observed)),
        GR_LOG_STR("paused", gr_buf_view(&names->paused)),
        GR_LOG_INT("hooks", event->decision->hooks_n),
        GR_LOG_INT("adjusted", event->decision->adjust_n),
        GR_LOG_STR("reason", event->decision->refusal),
    };

    if (!done)
        gr_log_write(log, level, message, fields, GR_ARRAY_LEN(fields));
    else
        gr_log_audit_write(log, level, message, fields, GR_ARRAY_LEN(fields));
}

void gr_log_created(const struct gr_log *log, const struct gr_session_event *event)
{
    enum gr_level level = GR_LEVEL_DEBUG;
    const char *message = "container left as it is";
    struct names names;
    bool audited = true;

    if (!event->decision) {
        log_unread(log, event);
        return;
    }
    if (event->decision->results_n > 0)
        log_sets(log, event);
    log_objections(log, event);
    log_overridden(log, event);
    if (event->refused) {
        level = GR_LEVEL_WARNING;
        message = "container refused";
    } else if (event->decision->hooks_n > 0) {
        level = GR_LEVEL_INFO;
        message = "hooks added";
    } else if (event->decision->adjust_n > 0) {
        level = GR_LEVEL_INFO;
        message = "container adjusted";
    } else {
        audited = false;
        if (event->decision->exempt)
            message = "container exempt by policy";
        else if (has_observed(event->decision))
            level = GR_LEVEL_INFO;
    }
    if (audited ? !gr_log_wants_audit(log, level) : !gr_log_wants(log, level))
        return;
    names_init(&names);
    list_sets(event->decision, &names);
    write_outcome(log, level, message, event, &names);
    names_fini(&names);
}
