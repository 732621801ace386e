/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decide/render.h"

#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "rules/read/fields.h"
#include "rules/limits.h"
#include "rules/policy.h"
#include "rules/match/scope.h"
#include "rules/steps.h"

#define USED_UP "was not filled in: the work that one container may cause is used up"

/* PATH, the identity, the stage and the mark. */
#define ADDED_ENV_MAX (1 + GR_RENDER_IDENTITY + 2)

void gr_render_init(struct gr_render *render, const struct gr_subject *subject,
                    const struct gr_decide_options *options, struct gr_arena *arena,
                    uint64_t *steps)
{
    render->steps = steps;
    render->subject = subject;
    render->options = options;
    render->arena = arena;
    render->left_out = 0;
    render->set = NULL;
    render->stage = GR_STAGE_PRESTART;
    render->mark = GR_STR_NONE;
    render->has_identity = false;
    render->problem[0] = '\0';
    gr_buf_init(&render->element, GR_HOOK_ELEMENT_MAX_BYTES);
}

void gr_render_fini(struct gr_render *render)
{
    gr_buf_fini(&render->element);
}

/* Why a value cannot be part of an element; NULL: it can. */
static const char *find_fault(struct gr_str value)
{
    if (gr_str_find(value, '\0') < value.n)
        return "holds a NUL byte";
    if (gr_str_find(value, '\n') < value.n)
        return "holds a newline";
    return gr_utf8_is_valid(value) ? NULL : "is not valid UTF-8";
}

static int refuse_field(struct gr_render *render, const struct gr_template_part *part,
                        const char *why)
{
    if (part->has_arg)
        (void)snprintf(render->problem, sizeof(render->problem), "%.*s \"%.*s\" %s",
                       GR_STR_FMT(part->name), GR_STR_FMT(part->arg), why);
    else
        (void)snprintf(render->problem, sizeof(render->problem), "{{%.*s}} %s",
                       GR_STR_FMT(part->name), why);
    return GR_RENDER_REFUSED;
}

/* A pod chooses how many entries there are to look through, a rule how often. */
static bool take_look_up(const struct gr_render *render, bool is_label)
{
    const struct gr_subject *s = render->subject;
    size_t entries = is_label ? s->pod_labels.n : s->pod_annotations.n + s->container_annotations.n;

    return gr_steps_take(render->steps, gr_steps_of_entries(entries));
}

/* The look-up of an annotation or label. */
static int find_keyed(struct gr_render *render, const struct gr_template_part *part,
                      struct gr_str *out_value, bool *out_is_fallback)
{
    const struct gr_subject *subject = render->subject;
    bool is_label = part->id == GR_TEMPLATE_LABEL;
    enum gr_truth found = GR_UNKNOWN;

    if (!take_look_up(render, is_label))
        return refuse_field(render, part, USED_UP);
    if (gr_subject_knows(subject, is_label ? GR_FIELD_POD_LABELS : GR_FIELD_ANNOTATIONS)) {
        if (!is_label)
            found = gr_subject_find_annotation(subject, part->arg, out_value);
        else
            found = gr_kvs_get(subject->pod_labels, part->arg, out_value) ? GR_TRUE : GR_FALSE;
    }
    if (found == GR_UNKNOWN)
        return refuse_field(render, part, "cannot be told here");
    if (found == GR_TRUE)
        return 0;
    if (!part->has_fallback)
        return refuse_field(render, part, "is absent and the template has no default for it");
    *out_value = part->fallback;
    *out_is_fallback = true;
    return 0;
}

/* The field of a match that tells whether the value is known; false: it always is. */
static bool known_by(int id, enum gr_field *out_field)
{
    switch (id) {
    case GR_TEMPLATE_NAME:
        *out_field = GR_FIELD_CONTAINER_NAME;
        return true;
    case GR_TEMPLATE_IMAGE:
        *out_field = GR_FIELD_IMAGE;
        return true;
    case GR_TEMPLATE_POD_NAME:
        *out_field = GR_FIELD_POD_NAME;
        return true;
    case GR_TEMPLATE_POD_NAMESPACE:
        *out_field = GR_FIELD_NAMESPACE;
        return true;
    case GR_TEMPLATE_RUNTIME_HANDLER:
        *out_field = GR_FIELD_RUNTIME_HANDLER;
        return true;
    default:
        return false;
    }
}

static struct gr_str fixed_value(const struct gr_render *render, int id)
{
    const struct gr_subject *subject = render->subject;

    switch (id) {
    case GR_TEMPLATE_ID:
        return subject->id;
    case GR_TEMPLATE_NAME:
        return subject->name;
    case GR_TEMPLATE_IMAGE:
        return subject->image.name;
    case GR_TEMPLATE_POD_NAME:
        return subject->pod_name;
    case GR_TEMPLATE_POD_NAMESPACE:
        return subject->pod_namespace;
    case GR_TEMPLATE_POD_UID:
        return subject->pod_uid;
    case GR_TEMPLATE_RUNTIME_HANDLER:
        return subject->runtime_handler;
    case GR_TEMPLATE_NODE_NAME:
        return render->options->node_name;
    case GR_TEMPLATE_STAGE:
        return gr_str_from(gr_stage_name(render->stage));
    default:
        return render->set->name; /* GR_TEMPLATE_HOOKSET: the check lets nothing else pass */
    }
}

/* gr_template_value_fn. */
static int add_value(void *user, const struct gr_template_part *part, struct gr_buf *out)
{
    struct gr_render *render = user;
    struct gr_str value = GR_STR_NONE;
    enum gr_field field = GR_FIELD_IMAGE;
    bool is_fallback = false;
    const char *fault;
    int r = 0;

    if (part->id == GR_TEMPLATE_ANNOTATION || part->id == GR_TEMPLATE_LABEL)
        r = find_keyed(render, part, &value, &is_fallback);
    else if (known_by(part->id, &field) && !gr_subject_knows(render->subject, field))
        r = refuse_field(render, part, "cannot be told here");
    else
        value = fixed_value(render, part->id);
    if (r)
        return r;
    if (!gr_steps_take(render->steps, gr_steps_of_bytes(value.n)))
        return refuse_field(render, part, USED_UP);
    fault = find_fault(value);
    if (fault)
        return refuse_field(render, part, fault);
    if (!is_fallback && out->len == 0 && value.n > 0 && value.p[0] == '-' &&
        gr_template_field_is_foreign((enum gr_template_field)part->id))
        return refuse_field(render, part, "begins the element with \"-\", as an option would");
    return gr_buf_str(out, value);
}

static int render_text(struct gr_render *render, const struct gr_template *text, struct gr_str *out)
{
    int r;

    if (text->n == 1 && !text->has_fields) {
        *out = text->parts[0].literal;
        return 0;
    }
    gr_buf_reset(&render->element, SIZE_MAX);
    r = gr_template_expand(text, add_value, render, &render->element);
    if (r == -EMSGSIZE) {
        (void)snprintf(render->problem, sizeof(render->problem),
                       "an element would have more than %d bytes", GR_HOOK_ELEMENT_MAX_BYTES);
        return GR_RENDER_REFUSED;
    }
    if (r)
        return r;
    return gr_arena_str(render->arena, gr_buf_view(&render->element), out) ? 0 : -ENOMEM;
}

/* Says where, once the element at fault is known. */
static int place_problem(struct gr_render *render, const char *list, size_t i, uint32_t line)
{
    char why[sizeof(render->problem)];

    memcpy(why, render->problem, sizeof(why));
    (void)snprintf(render->problem, sizeof(render->problem),
                   "%s[%zu] of its %s hook at line %u: %.*s", list, i, gr_stage_name(render->stage),
                   line, 400, why);
    return GR_RENDER_REFUSED;
}

/* Element i of a list. */
static int render_element(struct gr_render *render, const char *list, size_t i,
                          const struct gr_hook_text *text, struct gr_str *out)
{
    int r = render_text(render, &text->text, out);

    return r == GR_RENDER_REFUSED ? place_problem(render, list, i, text->line) : r;
}

static int render_list(struct gr_render *render, const char *what, const struct gr_hook_text *texts,
                       size_t n, struct gr_str *out)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        r = render_element(render, what, i, &texts[i], &out[i]);
    return r;
}

/* NAME=value in the arena. */
static bool join(struct gr_arena *arena, struct gr_str name, struct gr_str value,
                 struct gr_str *out)
{
    char *text = gr_arena_alloc(arena, name.n + 1 + value.n + 1);

    if (!text)
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = '=';
    if (value.n)
        memcpy(text + name.n + 1, value.p, value.n);
    *out = (struct gr_str){.p = text, .n = name.n + 1 + value.n};
    return true;
}

static int make_identity(struct gr_render *render)
{
    const struct gr_subject *subject = render->subject;
    const struct gr_kv entries[GR_RENDER_IDENTITY] = {
        {GR_STR("GRAPNEL_CONTAINER_ID"), subject->id},
        {GR_STR("GRAPNEL_CONTAINER_NAME"), subject->name},
        {GR_STR("GRAPNEL_POD_NAME"), subject->pod_name},
        {GR_STR("GRAPNEL_POD_NAMESPACE"), subject->pod_namespace},
        {GR_STR("GRAPNEL_POD_UID"), subject->pod_uid},
    };

    for (size_t i = 0; i < GR_RENDER_IDENTITY && !render->has_identity; i++) {
        const char *fault = find_fault(entries[i].value);

        if (entries[i].key.n + 1 + entries[i].value.n > GR_HOOK_ELEMENT_MAX_BYTES)
            fault = "is too long";
        if (fault) {
            (void)snprintf(render->problem, sizeof(render->problem), "the value for %s %s",
                           entries[i].key.p, fault);
            return GR_RENDER_REFUSED;
        }
        if (!join(render->arena, entries[i].key, entries[i].value, &render->identity[i]))
            return -ENOMEM;
    }
    render->has_identity = true;
    return 0;
}

/* GRAPNEL_HOOKSET=name@hash, the hash as 16 hexadecimal digits. */
static int make_mark(struct gr_render *render, const struct gr_hookset *set)
{
    static const char digits[] = "0123456789abcdef";
    struct gr_str prefix = GR_STR(GR_MARK_NAME "=");
    size_t n = prefix.n + set->name.n + 1;
    char *text = gr_arena_alloc(render->arena, n + 17);

    if (!text)
        return -ENOMEM;
    memcpy(text, prefix.p, prefix.n);
    memcpy(text + prefix.n, set->name.p, set->name.n);
    text[n - 1] = '@';
    for (unsigned int i = 0; i < 16; i++)
        text[n + i] = digits[(set->hash >> (60 - 4 * i)) & 15];
    render->mark = (struct gr_str){.p = text, .n = n + 16};
    return 0;
}

static struct gr_str stage_env(enum gr_stage stage)
{
    static const char *const texts[GR_STAGE_COUNT] = {
        [GR_STAGE_PRESTART] = "GRAPNEL_STAGE=prestart",
        [GR_STAGE_CREATE_RUNTIME] = "GRAPNEL_STAGE=createRuntime",
        [GR_STAGE_CREATE_CONTAINER] = "GRAPNEL_STAGE=createContainer",
        [GR_STAGE_START_CONTAINER] = "GRAPNEL_STAGE=startContainer",
        [GR_STAGE_POSTSTART] = "GRAPNEL_STAGE=poststart",
        [GR_STAGE_POSTSTOP] = "GRAPNEL_STAGE=poststop",
    };

    return gr_str_from(texts[stage]);
}

/* The name of an entry of env: it is literal, the reader sees to that. */
static struct gr_str name_of(const struct gr_hook_text *entry)
{
    struct gr_str literal = entry->text.n > 0 ? entry->text.parts[0].literal : GR_STR_NONE;

    return gr_str_first(literal, gr_str_find(literal, '='));
}

/* The entry of a list that has the same name; NULL: there is none. Both lists are as short as the
 * format has them. */
static const struct gr_hook_text *find_name(const struct gr_hook_text *list, size_t n,
                                            const struct gr_hook_text *entry)
{
    struct gr_str name = name_of(entry);

    for (size_t i = 0; i < n; i++) {
        if (gr_str_eq(name_of(&list[i]), name))
            return &list[i];
    }
    return NULL;
}

/* The hook's own env, with the environment's value where that has the same name, then the other
 * entries of the environment. */
static int render_user_env(struct gr_render *render, const struct gr_hook *hook, struct gr_str *out,
                           size_t *out_n)
{
    const struct gr_environment *environment = render->set->environment;
    size_t n = 0;
    int r = 0;

    if (!environment) {
        *out_n = hook->env_n;
        return render_list(render, "env", hook->env, hook->env_n, out);
    }
    for (size_t i = 0; i < hook->env_n && r == 0; i++) {
        const struct gr_hook_text *other =
            find_name(environment->env, environment->env_n, &hook->env[i]);

        if (other)
            r = render_element(render, "environment", (size_t)(other - environment->env), other,
                               &out[n++]);
        else
            r = render_element(render, "env", i, &hook->env[i], &out[n++]);
    }
    for (size_t i = 0; i < environment->env_n && r == 0; i++) {
        if (!find_name(hook->env, hook->env_n, &environment->env[i]))
            r = render_element(render, "environment", i, &environment->env[i], &out[n++]);
    }
    *out_n = n;
    return r;
}

/* Behind the rule's own env come PATH, unless the rule sets it, the identity, stage and mark. */
static size_t add_env(const struct gr_render *render, struct gr_str *env, size_t n)
{
    bool has_path = false;

    for (size_t i = 0; i < n && !has_path; i++)
        has_path = gr_str_has_prefix(env[i], GR_STR("PATH="));
    if (!has_path) {
        env[n] = GR_STR(GR_HOOK_PATH_ENV);
        n++;
    }
    for (size_t i = 0; i < GR_RENDER_IDENTITY; i++)
        env[n++] = render->identity[i];
    env[n++] = stage_env(render->stage);
    env[n++] = render->mark;
    return n;
}

static int render_hook(struct gr_render *render, const struct gr_hook *hook,
                       struct gr_rendered *out)
{
    struct gr_str *args = gr_arena_array(render->arena, hook->args_n, sizeof(*args));
    const struct gr_environment *environment = render->set->environment;
    size_t room = hook->env_n + (environment ? environment->env_n : 0) + ADDED_ENV_MAX;
    struct gr_str *env = gr_arena_array(render->arena, room, sizeof(*env));
    size_t env_n = 0;
    int r;

    if (!args || !env)
        return -ENOMEM;
    r = render_list(render, "args", hook->args, hook->args_n, args);
    if (r == 0)
        r = render_user_env(render, hook, env, &env_n);
    if (r)
        return r;
    *out = (struct gr_rendered){
        .hook = {.stage = render->stage,
                 .path = hook->path,
                 .program = hook->program,
                 .args = {.items = args, .n = hook->args_n},
                 .env = {.items = env, .n = add_env(render, env, env_n)},
                 .has_timeout = true,
                 .timeout_s = hook->timeout_s},
        .user_env_n = env_n,
    };
    return 0;
}

static bool is_left_out(const struct gr_render *render, size_t stage)
{
    return (render->left_out & GR_STAGE_BIT(stage)) != 0;
}

int gr_render_set(struct gr_render *render, const struct gr_hookset *set,
                  struct gr_rendered **out_hooks, size_t *out_n, size_t *out_left_out)
{
    struct gr_rendered *hooks;
    size_t count = 0;
    size_t left_out = 0;
    size_t n = 0;
    int r;

    for (size_t stage = 0; stage < GR_STAGE_COUNT; stage++)
        *(is_left_out(render, stage) ? &left_out : &count) += set->hooks[stage].n;
    hooks = gr_arena_array(render->arena, count, sizeof(*hooks));
    if (!hooks)
        return -ENOMEM;
    render->set = set;
    r = count > 0 ? make_identity(render) : 0;
    if (r == 0 && count > 0)
        r = make_mark(render, set);
    for (size_t stage = 0; stage < GR_STAGE_COUNT && r == 0; stage++) {
        render->stage = (enum gr_stage)stage;
        for (size_t i = 0; i < set->hooks[stage].n && r == 0 && !is_left_out(render, stage); i++)
            r = render_hook(render, &set->hooks[stage].items[i], &hooks[n++]);
    }
    if (r)
        return r;
    *out_hooks = hooks;
    *out_n = count;
    *out_left_out = left_out;
    return 0;
}
