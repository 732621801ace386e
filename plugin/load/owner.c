/* SPDX-License-Identifier: Apache-2.0 */
#include "load/owner.h"

#include <errno.h>

#include "rules/program.h"

#define NS_PER_S UINT64_C(1000000000)

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool gr_is_owner(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_alnum(text.p[i]) && (i == 0 || !memchr("._/-", text.p[i], 4)))
            return false;
    }
    return text.n > 0 && text.n <= GR_OWNER_MAX_BYTES;
}

int gr_owner_read(const struct gr_fs *fs, int dir, struct gr_owner *out_owner)
{
    char *name = out_owner->name;
    struct gr_fs_meta meta;
    int64_t n = 0;
    int node;
    int rc = gr_fs_open_at(fs, dir, GR_PROGRAM_OWNER, &node);

    *out_owner = (struct gr_owner){0};
    if (rc != 0)
        return rc == -ENOENT ? 0 : rc;
    rc = fs->meta(fs->user, node, &meta);
    if (rc == 0 && meta.type == GR_FS_LINK) {
        n = fs->read_link(fs->user, node, name, sizeof(out_owner->name));
        out_owner->installed_s = (int64_t)(meta.modified / NS_PER_S);
    }
    gr_fs_close(fs, &node);
    if (rc == 0 && n < 0)
        rc = (int)n;
    if (rc != 0 || !gr_is_owner((struct gr_str){.p = name, .n = (size_t)n}))
        n = 0;
    name[n] = '\0';
    return rc;
}
