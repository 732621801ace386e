/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/status/status_process.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/json.h"
#include "version.h"

/* Of /proc/self/status, whose last lines are not needed. A process in thousands of groups has more
 * before them: then the sandbox is not known. */
#define STATUS_MAX_BYTES 8192

#define STATM_MAX_BYTES 128

/* The beginning of a file of the kernel's; empty: it cannot be read. */
static struct gr_str read_start(const char *path, char *text, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, bytes);

    if (fd >= 0)
        (void)close(fd);
    return (struct gr_str){.p = text, .n = n > 0 ? (size_t)n : 0};
}

/* Resident pages; 0: the kernel does not say. */
static uint64_t resident_bytes(void)
{
    char text[STATM_MAX_BYTES];
    struct gr_str rest = read_start("/proc/self/statm", text, sizeof(text));
    uint64_t pages = 0;

    rest = gr_str_skip(rest, gr_str_find(rest, ' ') + 1);
    if (gr_str_to_u64(gr_str_first(rest, gr_str_find(rest, ' ')), &pages) != 0)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The value of a line "name:\tvalue"; empty: there is none. */
static struct gr_str value_of(struct gr_str text, struct gr_str name)
{
    while (text.n > 0) {
        size_t end = gr_str_find(text, '\n');
        struct gr_str line = gr_str_first(text, end);

        if (end < text.n && gr_str_has_prefix(line, name))
            return gr_str_skip(line, name.n);
        text = gr_str_skip(text, end + 1);
    }
    return GR_STR_NONE;
}

/* "none", or the bits as the kernel writes them. */
static void set_capabilities(json_t *object, const char *key, struct gr_str bits)
{
    bool none = bits.n > 0;

    for (size_t i = 0; i < bits.n; i++)
        none = none && bits.p[i] == '0';
    gr_json_set_str(object, key, none ? GR_STR("none") : bits);
}

static void set_truth(json_t *object, const char *key, struct gr_str value, const char *yes)
{
    if (value.n > 0)
        (void)json_object_set_new(object, key, json_boolean(gr_str_is(value, yes)));
}

static json_t *sandbox_json(void)
{
    char text[STATUS_MAX_BYTES];
    struct gr_str status = read_start("/proc/self/status", text, sizeof(text));
    json_t *object = json_object();

    set_capabilities(object, "capabilities", value_of(status, GR_STR("CapPrm:\t")));
    set_capabilities(object, "bounding", value_of(status, GR_STR("CapBnd:\t")));
    set_truth(object, "noNewPrivileges", value_of(status, GR_STR("NoNewPrivs:\t")), "1");
    set_truth(object, "filter", value_of(status, GR_STR("Seccomp:\t")), "2");
    return object;
}

json_t *gr_status_process(const struct gr_view *view)
{
    int64_t up_s = (int64_t)time(NULL) - view->started_s;
    json_t *object = json_object();

    gr_json_set_str(object, "version", gr_str_from(GR_VERSION));
    gr_json_set_count(object, "pid", (uint64_t)getpid());
    gr_json_set_time(object, "started", view->started_s);
    gr_json_set_count(object, "uptimeSeconds", up_s > 0 ? (uint64_t)up_s : 0);
    gr_json_set_count(object, "residentBytes", resident_bytes());
    gr_json_set_text(object, "mode", gr_way_name(view->self->way));
    gr_json_set_text(object, "unit", view->self->unit);
    (void)json_object_set_new(object, "sandbox", sandbox_json());
    return object;
}

static json_t *other_json(const struct gr_instance *other)
{
    json_t *object = json_object();

    gr_json_set_text(object, "name", other->name);
    gr_json_set_text(object, "mode", gr_way_name(other->way));
    gr_json_set_text(object, "unit", other->unit);
    gr_json_set_text(object, "version", other->version);
    gr_json_set_count(object, "pid", other->pid);
    gr_json_set_time(object, "started", other->started_s);
    return object;
}

void gr_status_others(json_t *reply, const struct gr_instance_list *others)
{
    json_t *list = others->known ? json_array() : NULL;

    for (size_t i = 0; i < others->n; i++)
        (void)json_array_append_new(list, other_json(&others->items[i]));
    (void)json_object_set_new(reply, "others", list);
}
