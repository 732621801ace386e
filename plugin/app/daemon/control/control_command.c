/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/control/control_command.h"

#include <errno.h>

#include "app/json.h"
#include "rules/read/findings.h"
#include "version.h"

/* The text of a request, its values and what becomes of its escapes. */
#define ARENA_MAX_BYTES (GR_CONTROL_REQUEST_MAX_BYTES * 4 + GR_CONTROL_REQUEST_VALUES_MAX * 128)
#define ARENA_BLOCK_BYTES (4U << 10)

/* Names in an error, with commas. */
#define NAMES_BYTES 256

void gr_control_table_add(struct gr_control_table *table, const struct gr_control_command *command,
                          void *user)
{
    if (table->n == GR_CONTROL_COMMANDS_MAX || command->fields_n > GR_CONTROL_FIELDS_MAX ||
        command->body_max_bytes > GR_CONTROL_BODY_MAX_BYTES)
        abort();
    table->items[table->n].command = command;
    table->items[table->n].user = user;
    table->n++;
}

static void add_name(char names[NAMES_BYTES], const char *name)
{
    size_t n = strlen(names);

    (void)snprintf(names + n, NAMES_BYTES - n, "%s%s", n > 0 ? ", " : "", name);
}

/* ---- the request ---- */

static int no_memory(struct gr_err *err)
{
    return gr_fail(err, -ENOMEM, "no-memory", "no memory to answer the request");
}

/* The decoded text of a value or key as it is written. */
static int decode(struct gr_arena *arena, struct gr_str quoted, struct gr_str *out_text,
                  struct gr_err *err)
{
    return gr_json_text(arena, quoted, out_text) ? 0 : no_memory(err);
}

static int find_command(const struct gr_control_table *table, struct gr_arena *arena,
                        struct gr_str line, const struct gr_json_node *root, size_t *out_index,
                        struct gr_err *err)
{
    const struct gr_json_node *node = root->kind == GR_JSON_OBJECT ? root->first : NULL;
    char names[NAMES_BYTES] = "";
    struct gr_str name;
    int r;

    while (node &&
           gr_json_match_key(gr_json_raw_key(line, node), GR_STR("command")) != GR_JSON_SAME)
        node = node->next;
    if (!node || node->kind != GR_JSON_STRING)
        return gr_fail(err, -EINVAL, "missing-key",
                       "expected an object with a command, such as {\"command\": \"ping\"}, found "
                       "%s",
                       node ? "a command that is no text" : "none");
    r = decode(arena, gr_json_raw(line, node), &name, err);
    if (r)
        return r;
    for (size_t i = 0; i < table->n; i++) {
        if (gr_str_is(name, table->items[i].command->name)) {
            *out_index = i;
            return 0;
        }
        add_name(names, table->items[i].command->name);
    }
    return gr_fail(err, -ENOENT, "unknown-command",
                   "Grapnel " GR_VERSION " has no command \"%s\" here; it has %s",
                   gr_show(name).text, names);
}

static int unknown_field(const struct gr_control_command *command, struct gr_str name,
                         struct gr_err *err)
{
    char names[NAMES_BYTES] = "";

    for (size_t i = 0; i < command->fields_n; i++)
        add_name(names, command->fields[i].name);
    return gr_fail(err, -EINVAL, "unknown-key",
                   "the command %s of Grapnel " GR_VERSION " has no field \"%s\"; it has %s",
                   command->name, gr_show(name).text, names[0] ? names : "none");
}

static int take_value(struct gr_control_request *request, const struct gr_control_field *field,
                      const struct gr_json_node *node, struct gr_control_value *value,
                      struct gr_err *err)
{
    struct gr_str raw = gr_json_raw(request->line, node);

    if (value->node)
        return gr_fail(err, -EINVAL, "duplicate-key", "the field \"%s\" stands here twice",
                       field->name);
    if (node->kind != field->kind)
        return gr_fail(err, -EINVAL, "wrong-type", "expected %s for \"%s\", found %s",
                       gr_json_kind_name(field->kind), field->name, gr_json_kind_name(node->kind));
    value->node = node;
    value->truth = gr_str_is(raw, "true");
    if (node->kind == GR_JSON_NUMBER && gr_str_to_u64(raw, &value->number) != 0)
        return gr_fail(err, -EINVAL, "bad-number",
                       "expected a whole number from 0 for \"%s\", found %s", field->name,
                       gr_show(raw).text);
    return node->kind == GR_JSON_STRING ? decode(request->arena, raw, &value->text, err) : 0;
}

static int take_field(const struct gr_control_command *command, const struct gr_json_node *node,
                      struct gr_control_request *request, struct gr_err *err)
{
    struct gr_str name;
    int r = decode(request->arena, gr_json_raw_key(request->line, node), &name, err);

    if (r || gr_str_is(name, "command"))
        return r;
    for (size_t i = 0; i < command->fields_n; i++) {
        if (gr_str_is(name, command->fields[i].name))
            return take_value(request, &command->fields[i], node, &request->values[i], err);
    }
    return unknown_field(command, name, err);
}

static int take_fields(const struct gr_control_command *command, const struct gr_json_node *root,
                       struct gr_control_request *request, struct gr_err *err)
{
    int r = 0;

    for (const struct gr_json_node *node = root->first; node && r == 0; node = node->next)
        r = take_field(command, node, request, err);
    for (size_t i = 0; i < command->fields_n && r == 0; i++) {
        if (command->fields[i].required && !request->values[i].node)
            r = gr_fail(err, -EINVAL, "missing-key", "the command %s needs the field \"%s\"",
                        command->name, command->fields[i].name);
    }
    return r;
}

/* Whether what follows the line is there. GR_CONTROL_BODY: it is to be read first. */
static int take_body(const struct gr_control_command *command, struct gr_control_asked *asked,
                     struct gr_control_request *request, struct gr_err *err)
{
    uint64_t n = request->values[0].number;

    if (command->body_max_bytes == 0)
        return 0;
    if (n > command->body_max_bytes)
        return gr_fail(err, -EMSGSIZE, "too-long",
                       "expected at most %u bytes behind a request for %s, found %llu",
                       command->body_max_bytes, command->name, (unsigned long long)n);
    asked->body_bytes = (size_t)n;
    request->body = asked->body;
    return asked->body ? 0 : GR_CONTROL_BODY;
}

static int run(const struct gr_control_table *table, struct gr_control_asked *asked,
               struct gr_control_request *request, json_t *reply, struct gr_err *err)
{
    const struct gr_control_command *command;
    const struct gr_json_node *root = NULL;
    size_t index = 0;
    int r =
        gr_json_read_all(request->arena, request->line, GR_CONTROL_REQUEST_VALUES_MAX, &root, err);

    if (r == 0)
        r = find_command(table, request->arena, request->line, root, &index, err);
    if (r)
        return r;
    command = table->items[index].command;
    r = take_fields(command, root, request, err);
    if (r == 0)
        r = take_body(command, asked, request, err);
    return r ? r : command->run(table->items[index].user, request, reply, err);
}

/* ---- the reply ---- */

static int dump_to_buf(const char *bytes, size_t n, void *out)
{
    return gr_buf_add(out, bytes, n) == 0 ? 0 : -1;
}

int gr_control_put(json_t *reply, struct gr_buf *out)
{
    size_t before = out->len;
    int r = reply ? 0 : -ENOMEM;

    if (r == 0 && json_dump_callback(reply, dump_to_buf, out, JSON_COMPACT) != 0)
        r = out->broken ? out->broken : -ENOMEM;
    json_decref(reply);
    if (r == 0 && out->len - before > GR_CONTROL_REPLY_MAX_BYTES)
        r = -EMSGSIZE;
    if (r == 0)
        r = gr_buf_byte(out, '\n');
    if (r) {
        out->len = before;
        out->broken = 0;
    }
    return r;
}

int gr_control_refuse(const struct gr_err *err, struct gr_buf *out)
{
    json_t *reply = json_pack("{s:b}", "ok", 0);

    gr_json_set_str(reply, "code", gr_str_from(err->code));
    gr_json_set_str(reply, "error", gr_str_from(err->text));
    if (err->column)
        (void)json_object_set_new(reply, "column", json_integer(err->column));
    return gr_control_put(reply, out);
}

int gr_control_answer(const struct gr_control_table *table, struct gr_control_asked *asked,
                      struct gr_buf *out)
{
    struct gr_arena arena;
    struct gr_control_request request = {.line = asked->line,
                                         .arena = &arena,
                                         .later = asked->later,
                                         .uid = asked->uid,
                                         .pid = asked->pid};
    json_t *reply = json_pack("{s:b}", "ok", 1);
    struct gr_err err = {0};
    int r;

    gr_arena_init(&arena, ARENA_BLOCK_BYTES, ARENA_MAX_BYTES);
    r = reply ? run(table, asked, &request, reply, &err) : no_memory(&err);
    gr_arena_fini(&arena);
    if (r == 0) {
        r = gr_control_put(gr_take(reply), out);
        if (r == 0)
            return 0;
        if (r == -EMSGSIZE)
            (void)gr_fail(&err, r, "reply-too-large",
                          "the reply would have more than %u bytes; ask for less at once",
                          GR_CONTROL_REPLY_MAX_BYTES);
        else
            (void)no_memory(&err);
    }
    json_decref(reply);
    return r > 0 ? r : gr_control_refuse(&err, out);
}
