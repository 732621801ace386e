/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host in memory for load/fs: any owner, mode and mount without being root, and every failure at
 * every place. Each open node is counted, so that a test sees a leaked descriptor.
 *
 *     struct memfs m;
 *     memfs_init(&m);
 *     mem_file(&m, "/etc/grapnel/hooks.d/a.yaml", "…");       root, 0644; directories root, 0755
 *     mem_at(&m, "/etc")->mode = 0777;
 *     … m.fs …
 *     memfs_fini(&m);                                         fails when a node is still open
 */
#ifndef GR_TESTS_LOAD_MEMFS_H
#define GR_TESTS_LOAD_MEMFS_H

#include <errno.h>

#include "load/fs.h"
#include "testing.h"

#define MEM_NODES_MAX 512
#define MEM_OPEN_MAX 512
#define MEM_NAME_BYTES 160

enum mem_op {
    MEM_OPEN_ROOT,
    MEM_OPEN_AT,
    MEM_OPEN_READ,
    MEM_META,
    MEM_LIST,
    MEM_READ_LINK,
    MEM_READ,
    MEM_MAKE_DIR,
    MEM_CREATE,
    MEM_WRITE,
    MEM_SYNC,
    MEM_SYNC_ALL,
    MEM_RENAME,
    MEM_UNLINK,
};

struct mem_node {
    bool alive;
    char name[MEM_NAME_BYTES];
    int parent; /* of the root: itself */
    struct gr_fs_meta meta;
    char *text; /* content or target, owned */
    size_t text_n;
};

struct memfs {
    struct gr_fs fs;
    struct mem_node nodes[MEM_NODES_MAX];
    struct {
        int node; /* -1: free */
        size_t at;
    } open[MEM_OPEN_MAX];
    size_t open_n;
    uint64_t clock;
    size_t read_max; /* most that one read or write moves; 0: all */
    int fakes_of;    /* a directory that also holds fakes_n names, a number and this suffix each, */
    size_t fakes_n;
    const char *fakes_suffix;
    int fake_node; /* … all with the content of this node */
    size_t calls[MEM_UNLINK + 1];
    /* Called before each operation; what is not 0 is its result. name may be "". */
    int (*inject)(struct memfs *m, enum mem_op op, const char *name);
    void *inject_user;
    int countdown;
};

static inline struct memfs *mem_of(void *user)
{
    return user;
}

static inline int mem_enter(struct memfs *m, enum mem_op op, const char *name)
{
    m->calls[op]++;
    return m->inject ? m->inject(m, op, name) : 0;
}

static inline int mem_child(const struct memfs *m, int dir, const char *name, size_t name_n)
{
    for (int i = 1; i < MEM_NODES_MAX; i++) {
        const struct mem_node *n = &m->nodes[i];

        if (n->alive && n->parent == dir && strlen(n->name) == name_n &&
            memcmp(n->name, name, name_n) == 0)
            return i;
    }
    return -1;
}

static inline int mem_add(struct memfs *m, int dir, const char *name, size_t name_n,
                          enum gr_fs_type type)
{
    for (int i = 1; i < MEM_NODES_MAX; i++) {
        struct mem_node *n = &m->nodes[i];

        if (n->alive || n->text)
            continue;
        *n = (struct mem_node){.alive = true, .parent = dir};
        assert_true(name_n < sizeof(n->name));
        memcpy(n->name, name, name_n);
        n->meta = (struct gr_fs_meta){
            .type = type,
            .mode = type == GR_FS_DIRECTORY ? 0755
                    : type == GR_FS_LINK    ? 0777
                                            : 0644,
            .modified = ++m->clock,
            .inode = ++m->clock,
            .device = 1,
            .mount = m->nodes[dir].meta.mount,
            .read_only = m->nodes[dir].meta.read_only,
        };
        return i;
    }
    fail_msg("%s", "more nodes than MEM_NODES_MAX");
    return -1;
}

/* Makes path with all directories above it; what is there stays. */
static inline int mem_make(struct memfs *m, const char *path, enum gr_fs_type type)
{
    int at = 0;

    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");
        int next;

        if (n > 0) {
            next = mem_child(m, at, p, n);
            if (next < 0)
                next = mem_add(m, at, p, n, p[n] ? GR_FS_DIRECTORY : type);
            at = next;
        }
        p += n + (p[n] == '/');
    }
    return at;
}

static inline struct mem_node *mem_dir(struct memfs *m, const char *path)
{
    return &m->nodes[mem_make(m, path, GR_FS_DIRECTORY)];
}

static inline void mem_set(struct memfs *m, struct mem_node *n, const char *text, size_t bytes)
{
    free(n->text);
    n->text = malloc(bytes + 1);
    assert_non_null(n->text);
    memcpy(n->text, text, bytes);
    n->text[bytes] = '\0';
    n->text_n = bytes;
    n->meta.size_bytes = bytes;
    n->meta.modified = ++m->clock;
    n->meta.changed = m->clock;
}

static inline struct mem_node *mem_file(struct memfs *m, const char *path, const char *text)
{
    struct mem_node *n = &m->nodes[mem_make(m, path, GR_FS_REGULAR)];

    mem_set(m, n, text, strlen(text));
    return n;
}

/* A program as it should be. */
static inline struct mem_node *mem_program(struct memfs *m, const char *path)
{
    struct mem_node *n = mem_file(m, path, "#!/bin/sh\n");

    n->meta.mode = 0755;
    return n;
}

static inline struct mem_node *mem_link(struct memfs *m, const char *path, const char *target)
{
    struct mem_node *n = &m->nodes[mem_make(m, path, GR_FS_LINK)];

    mem_set(m, n, target, strlen(target));
    return n;
}

/* NULL when it is not there. Links are not followed. */
static inline struct mem_node *mem_find(struct memfs *m, const char *path)
{
    int at = 0;

    for (const char *p = path; *p && at >= 0;) {
        size_t n = strcspn(p, "/");

        if (n > 0)
            at = mem_child(m, at, p, n);
        p += n + (p[n] == '/');
    }
    return at < 0 ? NULL : &m->nodes[at];
}

static inline struct mem_node *mem_at(struct memfs *m, const char *path)
{
    struct mem_node *n = mem_find(m, path);

    if (!n) {
        fail_msg("no %s in this host", path);
        abort(); /* the compiler does not know that fail_msg stays away */
    }
    return n;
}

static inline void mem_kill(struct mem_node *n)
{
    free(n->text);
    n->text = NULL;
    n->alive = false;
}

static inline void mem_remove(struct memfs *m, const char *path)
{
    mem_kill(mem_at(m, path));
}

/* Everything at and below path lies on this mount. */
static inline void mem_mount(struct memfs *m, const char *path, uint64_t mount, bool read_only)
{
    int top = (int)(mem_at(m, path) - m->nodes);

    for (int i = 0; i < MEM_NODES_MAX; i++) {
        int at = i;

        while (m->nodes[i].alive && at != top && at != 0)
            at = m->nodes[at].parent;
        if (!m->nodes[i].alive || at != top)
            continue;
        m->nodes[i].meta.mount = mount;
        m->nodes[i].meta.read_only = read_only;
    }
}

static inline int mem_give(struct memfs *m, int node, int *out)
{
    for (int i = 0; i < MEM_OPEN_MAX; i++) {
        if (m->open[i].node >= 0)
            continue;
        m->open[i].node = node;
        m->open[i].at = 0;
        m->open_n++;
        *out = i;
        return 0;
    }
    return -EMFILE;
}

static inline struct mem_node *mem_open_node(struct memfs *m, int handle)
{
    assert_in_range(handle, 0, MEM_OPEN_MAX - 1);
    assert_in_range(m->open[handle].node, 0, MEM_NODES_MAX - 1);
    return &m->nodes[m->open[handle].node];
}

static inline int mem_open_root(void *user, const char *path, int *out)
{
    struct memfs *m = mem_of(user);
    struct mem_node *n = mem_find(m, path);
    int rc = mem_enter(m, MEM_OPEN_ROOT, path);

    if (rc == 0 && !n)
        rc = -ENOENT;
    if (rc == 0 && n->meta.type != GR_FS_DIRECTORY)
        rc = -ENOTDIR;
    return rc ? rc : mem_give(m, (int)(n - m->nodes), out);
}

static inline int mem_lookup(struct memfs *m, int dir, const char *name)
{
    int node = m->open[dir].node;
    int child;

    (void)mem_open_node(m, dir);
    if (strchr(name, '/') || strcmp(name, "..") == 0)
        fail_msg("\"%s\" is more than one component", name);
    if (strcmp(name, ".") == 0)
        return node;
    child = mem_child(m, node, name, strlen(name));
    if (child < 0 && m->fakes_n > 0 && node == m->fakes_of)
        child = m->fake_node;
    return child < 0 ? -ENOENT : child;
}

static inline int mem_open_at(void *user, int dir, const char *name, int *out)
{
    struct memfs *m = mem_of(user);
    int rc = mem_enter(m, MEM_OPEN_AT, name);
    int child = mem_lookup(m, dir, name);

    if (rc == 0 && child < 0)
        rc = child;
    return rc ? rc : mem_give(m, child, out);
}

static inline int mem_open_read(void *user, int dir, const char *name, int *out)
{
    struct memfs *m = mem_of(user);
    int rc = mem_enter(m, MEM_OPEN_READ, name);
    int child = mem_lookup(m, dir, name);

    if (rc == 0 && child < 0)
        rc = child;
    if (rc == 0 && m->nodes[child].meta.type == GR_FS_LINK)
        rc = -ELOOP;
    return rc ? rc : mem_give(m, child, out);
}

/* As the real one says it: root's link ..data on a read-only mount. */
static inline bool mem_is_volume(const struct memfs *m, int node)
{
    for (int i = 0; i < MEM_NODES_MAX && m->nodes[node].meta.read_only; i++) {
        const struct mem_node *n = &m->nodes[i];

        if (n->alive && n->parent == node && strcmp(n->name, "..data") == 0)
            return n->meta.type == GR_FS_LINK && n->meta.uid == 0;
    }
    return false;
}

static inline int mem_meta(void *user, int node, struct gr_fs_meta *out)
{
    struct memfs *m = mem_of(user);
    struct mem_node *n = mem_open_node(m, node);
    int rc = mem_enter(m, MEM_META, n->name);

    if (rc == 0)
        *out = n->meta;
    out->volume = mem_is_volume(m, (int)(n - m->nodes));
    return rc;
}

static inline int mem_list(void *user, int dir, gr_fs_entry_fn *each, void *each_user)
{
    struct memfs *m = mem_of(user);
    int node = m->open[dir].node;
    int rc = mem_enter(m, MEM_LIST, mem_open_node(m, dir)->name);

    for (int i = MEM_NODES_MAX - 1; rc == 0 && i > 0; i--) {
        if (m->nodes[i].alive && m->nodes[i].parent == node)
            rc = each(each_user, m->nodes[i].name, m->nodes[i].meta.type);
    }
    for (size_t i = 0; rc == 0 && node == m->fakes_of && i < m->fakes_n; i++) {
        char name[MEM_NAME_BYTES];

        (void)snprintf(name, sizeof(name), "%05zu%s", i, m->fakes_suffix);
        rc = each(each_user, name, GR_FS_REGULAR);
    }
    return rc;
}

static inline int64_t mem_read_link(void *user, int node, char *out, size_t bytes)
{
    struct memfs *m = mem_of(user);
    const struct mem_node *n = mem_open_node(m, node);
    int rc = mem_enter(m, MEM_READ_LINK, n->name);
    size_t count = GR_MIN(bytes, n->text_n);

    if (rc != 0)
        return rc;
    if (n->meta.type != GR_FS_LINK)
        return -EINVAL;
    if (count)
        memcpy(out, n->text, count);
    return (int64_t)count;
}

static inline int64_t mem_read(void *user, int node, void *out, size_t bytes)
{
    struct memfs *m = mem_of(user);
    const struct mem_node *n = mem_open_node(m, node);
    int rc = mem_enter(m, MEM_READ, n->name);
    size_t at = GR_MIN(m->open[node].at, n->text_n);
    size_t count = GR_MIN(bytes, n->text_n - at);

    if (rc != 0)
        return rc;
    if (m->read_max)
        count = GR_MIN(count, m->read_max);
    if (count)
        memcpy(out, n->text + at, count);
    m->open[node].at = at + count;
    return (int64_t)count;
}

static inline int mem_cwd(void *user, char *out, size_t bytes)
{
    (void)user;
    (void)snprintf(out, bytes, "/srv/here");
    return 0;
}

static inline void mem_close(void *user, int node)
{
    struct memfs *m = mem_of(user);

    if (node == GR_FS_NO_NODE)
        return;
    (void)mem_open_node(m, node);
    m->open[node].node = -1;
    m->open_n--;
}

static inline int mem_make_dir(void *user, int dir, const char *name, uint32_t mode)
{
    struct memfs *m = mem_of(user);
    int rc = mem_enter(m, MEM_MAKE_DIR, name);
    int child;

    if (rc != 0)
        return rc;
    if (mem_lookup(m, dir, name) >= 0)
        return -EEXIST;
    child = mem_add(m, m->open[dir].node, name, strlen(name), GR_FS_DIRECTORY);
    m->nodes[child].meta.mode = mode;
    m->nodes[child].meta.uid = m->fs.euid;
    return 0;
}

static inline int mem_create(void *user, int dir, const char *name, uint32_t mode, int *out)
{
    struct memfs *m = mem_of(user);
    int rc = mem_enter(m, MEM_CREATE, name);
    int child;

    if (rc != 0)
        return rc;
    if (mem_lookup(m, dir, name) >= 0)
        return -EEXIST;
    child = mem_add(m, m->open[dir].node, name, strlen(name), GR_FS_REGULAR);
    m->nodes[child].meta.mode = mode;
    m->nodes[child].meta.uid = m->fs.euid;
    return mem_give(m, child, out);
}

static inline int64_t mem_write(void *user, int node, const void *data, size_t bytes)
{
    struct memfs *m = mem_of(user);
    struct mem_node *n = mem_open_node(m, node);
    int rc = mem_enter(m, MEM_WRITE, n->name);
    char *text;

    if (rc != 0)
        return rc;
    if (m->read_max)
        bytes = GR_MIN(bytes, m->read_max);
    text = realloc(n->text, n->text_n + bytes + 1);
    assert_non_null(text);
    if (bytes)
        memcpy(text + n->text_n, data, bytes);
    n->text = text;
    n->text_n += bytes;
    n->text[n->text_n] = '\0';
    n->meta.size_bytes = n->text_n;
    n->meta.modified = ++m->clock;
    return (int64_t)bytes;
}

static inline int mem_sync(void *user, int node)
{
    return mem_enter(mem_of(user), MEM_SYNC, mem_open_node(mem_of(user), node)->name);
}

static inline int mem_sync_all(void *user, int node)
{
    return mem_enter(mem_of(user), MEM_SYNC_ALL, mem_open_node(mem_of(user), node)->name);
}

static inline int mem_rename(void *user, int dir, const char *from, const char *to)
{
    struct memfs *m = mem_of(user);
    int rc = mem_enter(m, MEM_RENAME, to);
    int source = mem_lookup(m, dir, from);
    int target = mem_lookup(m, dir, to);

    if (rc == 0 && source < 0)
        rc = source;
    if (rc != 0)
        return rc;
    if (target >= 0)
        mem_kill(&m->nodes[target]);
    (void)snprintf(m->nodes[source].name, sizeof(m->nodes[source].name), "%s", to);
    return 0;
}

static inline int mem_unlink(void *user, int dir, const char *name)
{
    struct memfs *m = mem_of(user);
    int rc = mem_enter(m, MEM_UNLINK, name);
    int child = mem_lookup(m, dir, name);

    if (rc == 0 && child < 0)
        rc = child;
    if (rc == 0)
        mem_kill(&m->nodes[child]);
    return rc;
}

static inline void memfs_init(struct memfs *m)
{
    memset(m, 0, sizeof(*m));
    m->fs = (struct gr_fs){
        .user = m,
        .token = 7,
        .open_root = mem_open_root,
        .open_at = mem_open_at,
        .open_read = mem_open_read,
        .meta = mem_meta,
        .list = mem_list,
        .read_link = mem_read_link,
        .read = mem_read,
        .cwd = mem_cwd,
        .close = mem_close,
        .make_dir = mem_make_dir,
        .create = mem_create,
        .write = mem_write,
        .sync = mem_sync,
        .sync_all = mem_sync_all,
        .rename = mem_rename,
        .unlink = mem_unlink,
    };
    for (size_t i = 0; i < MEM_OPEN_MAX; i++)
        m->open[i].node = -1;
    m->fakes_of = -1;
    m->nodes[0].alive = true;
    m->nodes[0].meta = (struct gr_fs_meta){
        .type = GR_FS_DIRECTORY, .mode = 0755, .inode = ++m->clock, .device = 1, .mount = 1};
    mem_make(m, "/dev/null", GR_FS_NULL);
}

static inline void memfs_fini(struct memfs *m)
{
    assert_int_equal(m->open_n, 0);
    for (size_t i = 0; i < MEM_NODES_MAX; i++)
        mem_kill(&m->nodes[i]);
}

#endif
