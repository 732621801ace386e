/* SPDX-License-Identifier: Apache-2.0 */
#include "app/way.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "version.h"

/* What a service of systemd is called, and what names of kubelet's groups hold. */
#define SERVICE ".service"
#define PODS "kubepods"

static bool has(struct gr_str text, struct gr_str part)
{
    for (; text.n >= part.n; text = gr_str_skip(text, 1)) {
        if (gr_str_has_prefix(text, part))
            return true;
    }
    return false;
}

/* The last component of a line's path. */
static struct gr_str group_of(struct gr_str line)
{
    return gr_str_skip(line, gr_str_rfind(line, '/') + 1);
}

enum gr_way gr_way_of_cgroup(struct gr_str text, struct gr_str *out_unit)
{
    bool in_pod = has(text, GR_STR(PODS));

    *out_unit = GR_STR_NONE;
    while (text.n > 0) {
        struct gr_str line = gr_str_first(text, gr_str_find(text, '\n'));
        struct gr_str group = group_of(line);

        /* A node may itself be a container of somebody's pod: the innermost group decides. */
        if (gr_str_has_suffix(group, GR_STR(SERVICE))) {
            *out_unit = group;
            return GR_WAY_UNIT;
        }
        text = gr_str_skip(text, line.n + 1);
    }
    return in_pod ? GR_WAY_POD : GR_WAY_EXTERNAL;
}

static enum gr_way find_own(struct gr_instance *self)
{
    char text[GR_WAY_CGROUP_MAX_BYTES];
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    struct gr_str unit = GR_STR_NONE;
    enum gr_way way;

    if (fd >= 0)
        (void)close(fd);
    way = gr_way_of_cgroup((struct gr_str){.p = text, .n = n > 0 ? (size_t)n : 0}, &unit);
    (void)snprintf(self->unit, sizeof(self->unit), "%.*s", GR_STR_FMT(unit));
    return way;
}

struct gr_instance gr_way_own(bool launched, int64_t started_s)
{
    struct gr_instance self = {.way = GR_WAY_LAUNCHED,
                               .pid = (uint64_t)getpid(),
                               .started_s = started_s,
                               .version = GR_VERSION};

    if (launched)
        return self;
    self.way = find_own(&self);
    if (self.way == GR_WAY_EXTERNAL && getenv("KUBERNETES_SERVICE_HOST"))
        self.way = GR_WAY_POD;
    return self;
}

struct gr_way_words gr_way_words(enum gr_way way, const char *unit)
{
    static const char *const words[GR_WAY_COUNT] = {
        [GR_WAY_EXTERNAL] = "by hand",
        [GR_WAY_LAUNCHED] = "launched by the runtime",
        [GR_WAY_UNIT] = "from the unit ",
        [GR_WAY_POD] = "in a pod",
    };
    struct gr_way_words out;

    (void)snprintf(out.text, sizeof(out.text), "%s%s", words[way],
                   way == GR_WAY_UNIT && unit ? unit : "");
    return out;
}
