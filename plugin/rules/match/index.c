/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look-up: goes over what the container has, once, and collects the sets that are listed under
 * any of it. Nothing here may leave out a set that is not false: where the container's answer is
 * not known, every set found by that field is taken.
 */
#include "rules/match/index.h"

#include <errno.h>

#include "base/utf8.h"
#include "rules/pattern/imagename.h"
#include "rules/match/index_keys.h"
#include "rules/mounts.h"
#include "rules/match/scope.h"

struct look {
    const struct gr_index *index;
    const struct gr_subject *subject;
    struct gr_arena *arena;
    uint64_t *words;
};

static void take(const struct look *look, const uint32_t *sets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        look->words[sets[i] / 64] |= UINT64_C(1) << (sets[i] % 64);
}

/* Takes the sets listed under a key; whether any rule has it. */
static bool probe(const struct look *look, uint64_t hash)
{
    const struct gr_index *index = look->index;

    for (size_t at = hash & index->mask; index->entries[at].hash; at = (at + 1) & index->mask) {
        if (index->entries[at].hash != hash)
            continue;
        take(look, index->postings + index->entries[at].first, index->entries[at].n);
        return true;
    }
    return false;
}

/* Bytes that have to be looked at to see the longest prefix or suffix. */
static size_t longest(uint64_t lengths)
{
    return lengths ? 63 - (size_t)__builtin_clzll(lengths) : 0;
}

static bool probe_ends(const struct look *look, const struct gr_index_place *place, uint64_t slot,
                       struct gr_str value)
{
    bool exact = value.n < place->exact_max;
    size_t n = exact ? value.n : GR_MIN(value.n, longest(place->prefix_lengths));
    uint64_t state = slot;
    bool hit = false;

    for (size_t i = 0;; i++) {
        if (gr_index_has_length(place->prefix_lengths, i))
            hit |= probe(look, gr_index_text(state, GR_INDEX_PREFIX));
        if (i == n)
            break;
        state = gr_index_byte(state, value.p[i]);
    }
    if (exact)
        hit |= probe(look, gr_index_text(state, GR_INDEX_EXACT));
    n = GR_MIN(value.n, longest(place->suffix_lengths));
    state = slot;
    for (size_t i = 1; i <= n; i++) {
        state = gr_index_byte(state, value.p[value.n - i]);
        if (gr_index_has_length(place->suffix_lengths, i))
            hit |= probe(look, gr_index_text(state, GR_INDEX_SUFFIX));
    }
    return hit;
}

static bool probe_grams(const struct look *look, const struct gr_index_place *place, uint64_t slot,
                        struct gr_str value)
{
    bool hit = false;

    for (size_t i = 0; i + GR_INDEX_GRAM_BYTES <= value.n; i++) {
        unsigned int bit = gr_index_gram_bit(value.p + i);

        if (place->grams[bit / 64] >> (bit % 64) & 1)
            hit |= probe(look, gr_index_gram(slot, value.p + i));
    }
    return hit;
}

/* Whether the value fits anything that is in the table; takes the sets. */
static bool probe_value(const struct look *look, unsigned int at, uint64_t slot,
                        struct gr_str value)
{
    const struct gr_index_place *place = &look->index->places[at];
    bool hit = probe_ends(look, place, slot, value);

    if (place->has_grams)
        hit |= probe_grams(look, place, slot, value);
    if (place->has_bad_text && !gr_utf8_is_valid(value))
        hit |= probe(look, gr_index_text(slot, GR_INDEX_BAD_TEXT));
    return hit;
}

/* Whether to look at a field; where it is not known, takes the sets that are found by it. */
static bool begin_field(const struct look *look, enum gr_field field)
{
    if (!look->index->places[field].mentioned)
        return false;
    if (gr_subject_knows(look->subject, field))
        return true;
    (void)probe(look, gr_index_unknown(field));
    return false;
}

static void probe_text(const struct look *look, enum gr_field field, struct gr_str value)
{
    if (begin_field(look, field))
        (void)probe_value(look, field, gr_index_text_slot(field), value);
}

static void probe_list(const struct look *look, enum gr_field field, struct gr_strs list)
{
    if (!begin_field(look, field))
        return;
    for (size_t i = 0; i < list.n; i++)
        (void)probe_value(look, field, gr_index_text_slot(field), list.items[i]);
}

static void probe_texts(const struct look *look)
{
    const struct gr_subject *s = look->subject;
    struct gr_strs command = {.items = s->args.items, .n = GR_MIN(s->args.n, (size_t)1)};

    probe_text(look, GR_FIELD_NAMESPACE, s->pod_namespace);
    probe_text(look, GR_FIELD_POD_NAME, s->pod_name);
    probe_text(look, GR_FIELD_CONTAINER_NAME, s->name);
    probe_text(look, GR_FIELD_RUNTIME_HANDLER, s->runtime_handler);
    probe_text(look, GR_FIELD_RUNTIME, s->runtime);
    probe_list(look, GR_FIELD_COMMAND, command);
    probe_list(look, GR_FIELD_ARGS, s->args);
    probe_list(look, GR_FIELD_ENV, s->env);
    probe_list(look, GR_FIELD_REQUESTED, s->requests);
}

static bool probe_part(const struct look *look, unsigned int place, struct gr_str text)
{
    return probe_value(look, place, gr_index_text_slot(place), text);
}

/* Leaves out the standard ones. */
static int probe_mounts(const struct look *look, struct gr_subject *filtered)
{
    struct gr_mount *kept;
    size_t n = 0;

    filtered->mounts_n = 0;
    if (!begin_field(look, GR_FIELD_MOUNTS))
        return 0;
    kept = gr_arena_array(look->arena, look->subject->mounts_n, sizeof(*kept));
    if (!kept)
        return -ENOMEM;
    for (size_t i = 0; i < look->subject->mounts_n; i++) {
        const struct gr_mount *mount = &look->subject->mounts[i];

        if (gr_mount_is_standard(mount))
            continue;
        (void)probe_part(look, GR_INDEX_MOUNT_PLACE(GR_MOUNT_SOURCE), mount->source);
        (void)probe_part(look, GR_INDEX_MOUNT_PLACE(GR_MOUNT_DESTINATION), mount->destination);
        (void)probe_part(look, GR_INDEX_MOUNT_PLACE(GR_MOUNT_TYPE), mount->type);
        kept[n++] = *mount;
    }
    filtered->mounts = kept;
    filtered->mounts_n = n;
    return 0;
}

/* registry/segment/… in lower case; n == 0: no memory. */
static struct gr_str image_path(const struct look *look)
{
    const struct gr_image *image = &look->subject->image;
    struct gr_image_at at = {0};
    struct gr_str segment = GR_STR_NONE;
    size_t room = image->registry.n + sizeof("/library/") + image->repository.n;
    char *path = gr_arena_alloc(look->arena, room);
    size_t n = 0;

    if (!path)
        return GR_STR_NONE;
    while (gr_image_next_segment(image, &at, &segment)) {
        if (n > 0)
            path[n++] = '/';
        for (size_t i = 0; i < segment.n; i++) {
            char c = segment.p[i];

            path[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
    }
    return (struct gr_str){.p = path, .n = n};
}

static void probe_image_parts(const struct look *look, struct gr_str path, uint64_t *out_state)
{
    const struct gr_index_place *info = &look->index->places[GR_FIELD_IMAGE];
    uint64_t slot = gr_index_text_slot(GR_FIELD_IMAGE);
    uint64_t state = slot;
    size_t length = 0; /* of the segment so far */

    for (size_t i = 0;; i++) {
        if (gr_index_has_length(info->prefix_lengths, length))
            (void)probe(look, gr_index_text(state, GR_INDEX_PREFIX));
        if (i == path.n)
            break;
        length = path.p[i] == '/' ? 0 : length + 1;
        state = gr_index_byte(state, path.p[i]);
    }
    *out_state = state;
    if (!info->suffix_lengths)
        return;
    state = slot;
    length = 0;
    for (size_t i = path.n;; i--) {
        if (gr_index_has_length(info->suffix_lengths, length))
            (void)probe(look, gr_index_text(state, GR_INDEX_SUFFIX));
        if (i == 0)
            break;
        length = path.p[i - 1] == '/' ? 0 : length + 1;
        state = gr_index_byte(state, path.p[i - 1]);
    }
}

static int probe_image(const struct look *look)
{
    const struct gr_image *image = &look->subject->image;
    struct gr_str path;
    uint64_t state;

    if (!begin_field(look, GR_FIELD_IMAGE))
        return 0;
    path = image_path(look);
    if (!path.p)
        return -ENOMEM;
    probe_image_parts(look, path, &state);
    (void)probe(look, gr_index_text(state, GR_INDEX_EXACT));
    if (image->tag.n > 0)
        (void)probe(
            look, gr_index_text(gr_hash_more(gr_index_byte(state, ':'), image->tag), GR_INDEX_TAG));
    else
        (void)probe(look, gr_index_text(state, GR_INDEX_NO_TAG));
    return 0;
}

/* Whether a rule asks for this key of the map; takes the sets that fit key and value. */
static bool probe_entry(const struct look *look, enum gr_field field, struct gr_str key,
                        struct gr_str value)
{
    uint64_t slot;

    if (!gr_index_has_length(look->index->places[field].key_lengths, key.n % 64))
        return false;
    slot = gr_index_entry_slot(gr_hash(key), field);
    if (!probe(look, slot))
        return false;
    (void)probe_value(look, field, slot, value);
    return true;
}

/* The same for the leaf "annotations", under the whole key and under what stands before a scope. */
static bool probe_scoped(const struct look *look, const struct gr_kv *entry)
{
    bool hit = probe_entry(look, GR_FIELD_ANNOTATIONS, entry->key, entry->value);
    size_t key_bytes = 0;
    enum gr_scope scope = gr_scope_of(entry->key, look->subject, &key_bytes);

    if (scope == GR_SCOPE_NONE)
        return hit;
    /* The name that decides is not known: whatever is found by annotations may be unknown. */
    if (scope == GR_SCOPE_MAYBE)
        (void)probe(look, gr_index_unknown(GR_FIELD_ANNOTATIONS));
    return probe_entry(look, GR_FIELD_ANNOTATIONS, gr_str_first(entry->key, key_bytes),
                       entry->value) ||
           hit;
}

/* A map that grows in the arena; the number of kept entries is bounded by the keys of the rules. */
static int keep(const struct look *look, struct gr_kv **items, size_t *n, size_t *room,
                const struct gr_kv *entry)
{
    if (*n == *room) {
        size_t more = *room ? *room * 2 : 16;
        struct gr_kv *grown = gr_arena_array(look->arena, more, sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        if (*n)
            memcpy(grown, *items, *n * sizeof(*grown));
        *items = grown;
        *room = more;
    }
    (*items)[(*n)++] = *entry;
    return 0;
}

/* Leaves in *map only what rules ask for. */
static int probe_map(const struct look *look, enum gr_field field, bool scoped, struct gr_kvs *map)
{
    bool plain = begin_field(look, field);
    bool known = gr_subject_knows(look->subject, field);
    struct gr_kv *kept = NULL;
    size_t room = 0;
    size_t n = 0;

    scoped = scoped && known && look->index->places[GR_FIELD_ANNOTATIONS].mentioned;
    for (size_t i = 0; i < map->n && (plain || scoped); i++) {
        const struct gr_kv *entry = &map->items[i];
        bool hit = plain && probe_entry(look, field, entry->key, entry->value);

        if (scoped)
            hit = probe_scoped(look, entry) || hit;
        if (hit && keep(look, &kept, &n, &room, entry))
            return -ENOMEM;
    }
    *map = (struct gr_kvs){.items = kept, .n = n};
    return 0;
}

static int probe_maps(const struct look *look, struct gr_subject *filtered)
{
    int r;

    (void)begin_field(look, GR_FIELD_ANNOTATIONS);
    r = probe_map(look, GR_FIELD_POD_LABELS, false, &filtered->pod_labels);
    if (r == 0)
        r = probe_map(look, GR_FIELD_CONTAINER_LABELS, false, &filtered->container_labels);
    if (r == 0)
        r = probe_map(look, GR_FIELD_POD_ANNOTATIONS, true, &filtered->pod_annotations);
    if (r == 0)
        r = probe_map(look, GR_FIELD_CONTAINER_ANNOTATIONS, true, &filtered->container_annotations);
    return r;
}

/* Whether a leaf anyAnnotation may hold for the entry. */
static bool probe_annotation(const struct look *look, const struct gr_kv *entry)
{
    uint64_t slot = gr_index_entry_slot(gr_hash(entry->key), GR_FIELD_ANY_ANNOTATION);
    bool hit = look->index->places[GR_FIELD_ANY_ANNOTATION].keep_all;

    hit |= probe_part(look, GR_INDEX_ENTRY_PLACE(GR_ENTRY_KEY), entry->key);
    hit |= probe_part(look, GR_INDEX_ENTRY_PLACE(GR_ENTRY_VALUE), entry->value);
    if (probe(look, slot))
        (void)probe_value(look, GR_FIELD_ANY_ANNOTATION, slot, entry->value);
    return hit;
}

/* Whether an entry is hidden by another one is for evaluation: few get there. */
static int probe_annotations(const struct look *look, struct gr_subject *filtered)
{
    struct gr_kvs pod = look->subject->pod_annotations;
    struct gr_kvs own = look->subject->container_annotations;
    uint32_t *kept;
    size_t n = 0;

    if (!begin_field(look, GR_FIELD_ANY_ANNOTATION))
        return 0;
    if (pod.n > UINT32_MAX || own.n > UINT32_MAX - pod.n)
        return -ENOMEM;
    kept = gr_arena_array(look->arena, pod.n + own.n, sizeof(*kept));
    if (!kept)
        return -ENOMEM;
    for (size_t i = 0; i < pod.n + own.n; i++) {
        if (probe_annotation(look, i < pod.n ? &pod.items[i] : &own.items[i - pod.n]))
            kept[n++] = (uint32_t)i;
    }
    filtered->any_annotations = kept;
    filtered->any_annotations_n = n;
    return 0;
}

int gr_index_find(const struct gr_index *index, const struct gr_subject *subject,
                  struct gr_arena *arena, struct gr_candidates *out_candidates)
{
    struct look look = {.index = index, .subject = subject, .arena = arena};
    struct gr_candidates found = {.words_n = (index->sets_n + 63) / 64, .subject = *subject};
    int r;

    look.words = gr_arena_array(arena, found.words_n, sizeof(*look.words));
    if (!look.words)
        return -ENOMEM;
    found.words = look.words;
    take(&look, index->always, index->always_n);
    found.subject.whole = subject;
    probe_texts(&look);
    r = probe_image(&look);
    if (r == 0)
        r = probe_mounts(&look, &found.subject);
    if (r == 0)
        r = probe_maps(&look, &found.subject);
    if (r == 0)
        r = probe_annotations(&look, &found.subject);
    if (r == 0)
        *out_candidates = found;
    return r;
}

size_t gr_candidates_count(const struct gr_candidates *candidates)
{
    size_t n = 0;

    for (size_t i = 0; i < candidates->words_n; i++)
        n += (size_t)__builtin_popcountll(candidates->words[i]);
    return n;
}
