/* SPDX-License-Identifier: Apache-2.0 */
#include "app/way.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "version.h"

/* What a service of systemd is called. */
#define SERVICE ".service"

/* How kubelet calls its groups: kubepods…, and podUID below it, which has 32 digits. */
#define PODS "kubepods"
#define POD "pod"
#define POD_BYTES_MIN 35

/* From another pod's group a path shows only where both part: "/../../podUID/ID". */
static bool is_in_pod(struct gr_str line)
{
    while (line.n > 0) {
        struct gr_str part = gr_str_first(line, gr_str_find(line, '/'));

        if (gr_str_has_prefix(part, GR_STR(PODS)) ||
            gr_str_has_prefix(part, GR_STR("kubelet-" PODS)) ||
            (gr_str_has_prefix(part, GR_STR(POD)) && part.n >= POD_BYTES_MIN))
            return true;
        line = gr_str_skip(line, part.n + 1);
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
    bool in_pod = false;

    *out_unit = GR_STR_NONE;
    while (text.n > 0) {
        struct gr_str line = gr_str_first(text, gr_str_find(text, '\n'));
        struct gr_str group = group_of(line);

        /* A node may itself be a container of somebody's pod: the innermost group decides. */
        if (gr_str_has_suffix(group, GR_STR(SERVICE))) {
            *out_unit = group;
            return GR_WAY_UNIT;
        }
        in_pod = in_pod || is_in_pod(line);
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
