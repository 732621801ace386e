/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor/gobuild.h"

#include <elf.h>
#include <errno.h>
#include <unistd.h>

/* CRI-O's record has 40 KiB. No evidence. */
#define RECORD_BYTES_MAX (1U << 20)
#define SECTIONS_MAX 1024
#define NAMES_BYTES_MAX (1U << 16)

#define MAGIC "\xff Go buildinf:"
#define FLAGS_AT 15
#define FLAG_INLINE 2U
#define TEXTS_AT 32
#define SENTINEL_BYTES 16 /* around the list of modules */

#define NRI_MODULE "github.com/containerd/nri"

static int read_at(int fd, void *out, size_t bytes, uint64_t offset)
{
    char *to = out;

    if (offset > INT64_MAX - bytes)
        return -ENODATA;
    while (bytes > 0) {
        ssize_t n = pread(fd, to, bytes, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENODATA;
        to += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return 0;
}

static int read_part(int fd, struct gr_arena *arena, const Elf64_Shdr *section, size_t max,
                     struct gr_str *out_bytes)
{
    char *bytes;

    if (section->sh_size > max)
        return -ENODATA;
    bytes = gr_arena_alloc(arena, section->sh_size + 1);
    if (!bytes)
        return -ENOMEM;
    *out_bytes = (struct gr_str){.p = bytes, .n = section->sh_size};
    return read_at(fd, bytes, section->sh_size, section->sh_offset);
}

static int find_section(int fd, struct gr_arena *arena, struct gr_str *out_bytes)
{
    Elf64_Ehdr head;
    Elf64_Shdr *sections;
    struct gr_str names;
    int r = read_at(fd, &head, sizeof(head), 0);

    if (r != 0)
        return r;
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_ident[EI_DATA] != ELFDATA2LSB || head.e_shentsize != sizeof(*sections) ||
        head.e_shnum > SECTIONS_MAX || head.e_shstrndx >= head.e_shnum)
        return -ENODATA;
    sections = gr_arena_array(arena, head.e_shnum, sizeof(*sections));
    if (!sections)
        return -ENOMEM;
    r = read_at(fd, sections, head.e_shnum * sizeof(*sections), head.e_shoff);
    if (r == 0)
        r = read_part(fd, arena, &sections[head.e_shstrndx], NAMES_BYTES_MAX, &names);
    for (size_t i = 0; i < head.e_shnum && r == 0; i++) {
        struct gr_str name = gr_str_skip(names, sections[i].sh_name);

        if (gr_str_is(gr_str_first(name, gr_str_find(name, '\0')), ".go.buildinfo"))
            return read_part(fd, arena, &sections[i], RECORD_BYTES_MAX, out_bytes);
    }
    return r == 0 ? -ENODATA : r;
}

/* A length of 7 bits a byte, and as many bytes; *rest is then behind them. */
static bool take_text(struct gr_str *rest, struct gr_str *out_text)
{
    uint64_t n = 0;

    for (unsigned shift = 0; rest->n > 0 && shift < 35; shift += 7) {
        uint8_t byte = (uint8_t)rest->p[0];

        *rest = gr_str_skip(*rest, 1);
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        if (n > rest->n)
            return false;
        *out_text = gr_str_first(*rest, (size_t)n);
        *rest = gr_str_skip(*rest, (size_t)n);
        return true;
    }
    return false;
}

static struct gr_str cut(struct gr_str *rest, char at)
{
    size_t n = gr_str_find(*rest, at);
    struct gr_str head = gr_str_first(*rest, n);

    *rest = gr_str_skip(*rest, n + 1);
    return head;
}

/* -X …/version.Version=v2.1.4 among the flags of the linker: what distributions do. */
static struct gr_str linked_version(struct gr_str line)
{
    static const char key[] = "/version.Version=";
    size_t n = 0;

    for (; line.n > sizeof(key); line = gr_str_skip(line, 1)) {
        if (!gr_str_has_prefix(line, GR_STR(key)))
            continue;
        line = gr_str_skip(line, sizeof(key) - 1);
        while (n < line.n && !memchr(" \"'\\", line.p[n], 4))
            n++;
        return gr_str_first(line, n);
    }
    return GR_STR_NONE;
}

static bool is_runtime(struct gr_str module)
{
    static const char *const modules[] = {"github.com/containerd/containerd",
                                          "github.com/containerd/containerd/v2",
                                          "github.com/cri-o/cri-o"};

    for (size_t i = 0; i < GR_ARRAY_LEN(modules); i++) {
        if (gr_str_is(module, modules[i]))
            return true;
    }
    return false;
}

/* A version that says something: not (devel), nor v0.0.0 and a time. */
static struct gr_str told(struct gr_str version)
{
    bool says =
        gr_str_has_prefix(version, GR_STR("v")) && !gr_str_has_prefix(version, GR_STR("v0.0.0"));

    return says ? version : GR_STR_NONE;
}

/* The runtime is the program itself, or a part of one that has it built in. => stands behind the
 * module that another one stands in for. */
static void read_line(struct gr_str line, struct gr_str *last, struct gr_gobuild *build)
{
    struct gr_str kind = cut(&line, '\t');
    struct gr_str whole = line;
    struct gr_str name = cut(&line, '\t');
    struct gr_str version = cut(&line, '\t');

    if (gr_str_is(kind, "build") && gr_str_has_prefix(whole, GR_STR("-ldflags="))) {
        struct gr_str linked = linked_version(whole);

        if (linked.n > 0 && build->is_program)
            build->version = linked;
        return;
    }
    if (gr_str_is(kind, "=>"))
        name = *last;
    else if (!gr_str_is(kind, "mod") && !gr_str_is(kind, "dep"))
        return;
    *last = name;
    if (gr_str_is(name, NRI_MODULE))
        build->nri = version;
    if (!is_runtime(name) || (build->is_program && gr_str_is(kind, "dep")))
        return;
    build->is_program = build->is_program || gr_str_is(kind, "mod");
    build->module = name;
    build->version = told(version);
}

int gr_gobuild_read(int fd, struct gr_arena *arena, struct gr_gobuild *out_build)
{
    struct gr_gobuild build = {0};
    struct gr_str last = GR_STR_NONE;
    struct gr_str bytes, go, modules;
    int r = find_section(fd, arena, &bytes);

    if (r != 0)
        return r;
    if (bytes.n < TEXTS_AT || memcmp(bytes.p, MAGIC, sizeof(MAGIC) - 1) != 0 ||
        !((uint8_t)bytes.p[FLAGS_AT] & FLAG_INLINE))
        return -ENODATA;
    bytes = gr_str_skip(bytes, TEXTS_AT);
    if (!take_text(&bytes, &go) || !take_text(&bytes, &modules) || modules.n <= 2 * SENTINEL_BYTES)
        return -ENODATA;
    modules = gr_str_skip(gr_str_first(modules, modules.n - SENTINEL_BYTES), SENTINEL_BYTES);
    while (modules.n > 0)
        read_line(cut(&modules, '\n'), &last, &build);
    *out_build = build;
    return build.module.n > 0 ? 0 : -ENODATA;
}
