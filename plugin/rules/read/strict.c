/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/strict: mappings by their tables, lists, and the heads of documents.
 *
 * Layer: rules. The scalars are in strict_scalar.c.
 */
#include "rules/read/strict.h"

#include <errno.h>
#include <stdio.h>

/* Longest word that is compared with known ones: gr_str_distance takes no longer ones. */
#define NEAR_MAX_BYTES 64

/* More changes than this, or more than a third of the letters, are no slip of the hand. */
#define NEAR_DISTANCE_MAX ((size_t)3)

/* The most keys that any table of the format has. */
#define KEYS_MAX 40

/* Shorter words lie inside others by chance. */
#define NEAR_INSIDE_MIN_BYTES 4

int gr_decode_refuse(struct gr_decoder *d, struct gr_place at, const char *code, const char *format,
                     ...)
{
    struct gr_err err = {0};
    va_list args;

    if (d->lenient) {
        d->unread = true;
        return GR_DECODE_REFUSED;
    }
    va_start(args, format);
    gr_err_fill(&err, code, format, args);
    va_end(args);
    return gr_decode_refuse_err(d, at, &err);
}

int gr_decode_refuse_err(struct gr_decoder *d, struct gr_place at, struct gr_err *err)
{
    if (d->lenient) {
        d->unread = true;
        return GR_DECODE_REFUSED;
    }
    gr_findings_add(d->findings, &d->path, at, err);
    d->bad = true;
    return GR_DECODE_REFUSED;
}

static struct gr_str lower(struct gr_str text, char *room)
{
    size_t n = GR_MIN(text.n, (size_t)NEAR_MAX_BYTES);

    for (size_t i = 0; i < n; i++) {
        char c = text.p[i];

        room[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return (struct gr_str){.p = room, .n = n};
}

static bool is_inside(struct gr_str part, struct gr_str whole)
{
    return part.n >= NEAR_INSIDE_MIN_BYTES && memmem(whole.p, whole.n, part.p, part.n) != NULL;
}

const char *gr_nearest(struct gr_str word, const char *const *known, size_t n)
{
    char word_room[NEAR_MAX_BYTES];
    char known_room[NEAR_MAX_BYTES];
    struct gr_str small = lower(word, word_room);
    size_t best = NEAR_DISTANCE_MAX + 1;
    const char *nearest = NULL;
    const char *inside = NULL;

    if (word.n > NEAR_MAX_BYTES)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct gr_str other = lower(gr_str_from(known[i]), known_room);
        size_t distance = gr_str_distance(small, other, best);

        if (distance < best && 3 * distance <= GR_MAX(small.n, other.n)) {
            best = distance;
            nearest = known[i];
        }
        if (!inside && (is_inside(small, other) || is_inside(other, small)))
            inside = known[i];
    }
    return nearest ? nearest : inside;
}

/* Names of the keys that this version reads, as a list for people. */
static size_t known_keys(struct gr_keys keys, const char **names, char *text, size_t text_bytes)
{
    size_t used = 0;
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < keys.n && n < KEYS_MAX; i++) {
        int wrote;

        if (keys.items[i].flags & GR_KEY_ELSEWHERE)
            continue;
        names[n] = keys.items[i].name;
        wrote = snprintf(text + used, text_bytes - used, "%s%s", n ? ", " : "", names[n]);
        if (wrote > 0)
            used = GR_MIN(used + (size_t)wrote, text_bytes - 1);
        n++;
    }
    return n;
}

static void refuse_unknown(struct gr_decoder *d, const struct gr_yaml_node *node,
                           struct gr_keys keys)
{
    const char *names[KEYS_MAX];
    char text[320];
    size_t n = known_keys(keys, names, text, sizeof(text));
    const char *nearest = gr_nearest(node->key, names, n);
    struct gr_shown shown = gr_show(node->key);
    const char *in = d->path.n ? " in " : "";
    char where[GR_ERR_FIELD_BYTES];
    size_t before;

    memcpy(where, d->path.text, sizeof(where));
    before = gr_field_path_key(&d->path, node->key);
    if (nearest)
        gr_decode_refuse(d, node->key_at, "unknown-key",
                         "unknown key \"%s\"%s%s; did you mean \"%s\"?", shown.text, in, where,
                         nearest);
    else
        gr_decode_refuse(d, node->key_at, "unknown-key", "unknown key \"%s\"%s%s; known here: %s",
                         shown.text, in, where, text);
    gr_field_path_cut(&d->path, before);
}

static const struct gr_key *find_key(struct gr_keys keys, struct gr_str name)
{
    const struct gr_key *end = keys.items + keys.n;

    for (const struct gr_key *key = keys.items; key < end; key++) {
        if (gr_str_is(name, key->name))
            return key;
    }
    return NULL;
}

static int decode_value(struct gr_decoder *d, const struct gr_yaml_node *value,
                        const struct gr_key *key, void *target)
{
    size_t before = gr_field_path_key(&d->path, value->key);
    int r;

    if (key->flags & GR_KEY_ELSEWHERE && !key->decode)
        r = gr_decode_refuse(d, value->key_at, "misplaced-key",
                             "\"%s\" does not belong here but below %s; mend the indentation",
                             key->name, key->example);
    else if (value->kind == GR_YAML_BAD)
        r = GR_DECODE_REFUSED;
    else
        r = key->decode(d, value, target);
    gr_field_path_cut(&d->path, before);
    return r;
}

static bool has_required(struct gr_keys keys)
{
    for (size_t i = 0; i < keys.n; i++) {
        if (keys.items[i].flags & GR_KEY_REQUIRED)
            return true;
    }
    return false;
}

static void check_required(struct gr_decoder *d, const struct gr_yaml_node *node,
                           struct gr_keys keys)
{
    for (size_t i = 0; i < keys.n; i++) {
        const struct gr_key *key = &keys.items[i];
        size_t before;

        if (!(key->flags & GR_KEY_REQUIRED) || gr_yaml_get(node, key->name))
            continue;
        before = gr_field_path_key(&d->path, gr_str_from(key->name));
        gr_decode_refuse(d, node->at, "missing-key", "the key \"%s\" is missing; write %s",
                         key->name, key->example);
        gr_field_path_cut(&d->path, before);
    }
}

int gr_decode_mapping(struct gr_decoder *d, const struct gr_yaml_node *node, struct gr_keys keys,
                      void *target)
{
    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (node->kind != GR_YAML_MAPPING)
        return gr_decode_refuse(d, node->at, "wrong-type",
                                "expected a mapping (key: value), found %s",
                                gr_decode_describe(node).text);
    if (node->n == 0 && !has_required(keys))
        return gr_decode_refuse(d, node->at, "empty",
                                "an empty mapping means nothing here; fill it in or remove the "
                                "key");
    for (const struct gr_yaml_node *value = node->first; value; value = value->next) {
        const struct gr_key *key = find_key(keys, value->key);

        if (!key) {
            refuse_unknown(d, value, keys);
        } else {
            int r = decode_value(d, value, key, target);

            if (r < 0)
                return r;
        }
    }
    check_required(d, node, keys);
    return 0;
}

int gr_decode_check_list(struct gr_decoder *d, const struct gr_yaml_node *node, size_t max)
{
    if (node->kind == GR_YAML_BAD)
        return GR_DECODE_REFUSED;
    if (node->kind != GR_YAML_LIST)
        return gr_decode_refuse(d, node->at, "wrong-type",
                                "expected a list, found %s; write [first, second], or one \"- \" "
                                "line for each element",
                                gr_decode_describe(node).text);
    if (node->n == 0)
        return gr_decode_refuse(d, node->at, "empty",
                                "an empty list means nothing here; add an element or remove the "
                                "key");
    if (node->n > max)
        return gr_decode_refuse(d, node->at, "too-many",
                                "this list has %zu elements; at most %zu are allowed", node->n,
                                max);
    return 0;
}

int gr_decode_list(struct gr_decoder *d, const struct gr_yaml_node *node, size_t max, size_t size,
                   gr_decode_fn *read, void **out_items, size_t *out_n)
{
    char *items;
    size_t n = 0;
    int r = gr_decode_check_list(d, node, max);

    if (r != 0)
        return r;
    items = gr_arena_array(d->arena, node->n, size);
    if (!items)
        return -ENOMEM;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next, n++) {
        size_t before = gr_field_path_index(&d->path, n);

        r = read(d, item, items + n * size);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    *out_items = items;
    *out_n = n;
    return 0;
}

static int check_head(struct gr_decoder *d, const struct gr_yaml_node *node, const char *code,
                      const char *key, const char *expected)
{
    size_t before = gr_field_path_key(&d->path, gr_str_from(key));
    int r = node->kind == GR_YAML_BAD ? GR_DECODE_REFUSED : 0;

    if (r == 0 && (node->kind != GR_YAML_SCALAR || !gr_str_is(node->text, expected)))
        r = gr_decode_refuse(d, node->at, code, "expected %s: %s, found %s", key, expected,
                             gr_decode_describe(node).text);
    gr_field_path_cut(&d->path, before);
    return r;
}

/* Documents of ours, and where each belongs. */
static const struct {
    const char *kind, *are, *belong;
} documents[] = {
    {"Config", "settings", "/etc/grapnel/config.yaml, or the file that --config names"},
    {"HookSet", "rules", "/etc/grapnel/hooks.d, or a directory that --hooks-dir names"},
    {"Policy", "guard rails", "/etc/grapnel/policy.yaml, or the file that --policy names"},
    {"TestSuite", "suites", "a file outside the directories of rules, for grapnel test FILE"},
};

static int check_kind(struct gr_decoder *d, const struct gr_yaml_node *node, const char *expected)
{
    bool is_text = node->kind == GR_YAML_SCALAR && !gr_str_is(node->text, expected);

    for (size_t i = 0; i < GR_ARRAY_LEN(documents) && is_text; i++) {
        size_t before;
        int r;

        if (!gr_str_is(node->text, documents[i].kind))
            continue;
        before = gr_field_path_key(&d->path, GR_STR("kind"));
        r = gr_decode_refuse(d, node->at, "bad-kind",
                             "expected kind: %s, found a %s; %s belong into %s", expected,
                             documents[i].kind, documents[i].are, documents[i].belong);
        gr_field_path_cut(&d->path, before);
        return r;
    }
    return check_head(d, node, "bad-kind", "kind", expected);
}

int gr_decode_check_kind(struct gr_decoder *d, const struct gr_yaml_node *root, const char *kind)
{
    const struct gr_yaml_node *version_node = gr_yaml_get(root, "apiVersion");
    const struct gr_yaml_node *kind_node = gr_yaml_get(root, "kind");
    int version_result = 0;
    int kind_result = 0;

    if (version_node)
        version_result = check_head(d, version_node, "bad-version", "apiVersion", GR_API_VERSION);
    if (version_result < 0)
        return version_result;
    if (kind_node)
        kind_result = check_kind(d, kind_node, kind);
    return kind_result ? kind_result : version_result;
}

int gr_decode_seen(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    (void)d;
    (void)node;
    (void)target;
    return 0;
}
