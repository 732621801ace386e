/* SPDX-License-Identifier: Apache-2.0 */
#include "load/elf.h"

#include <elf.h>

/* A program has a dozen headers; more than this is no program that anybody wrote. */
#define HEADERS_MAX 256

struct reader {
    struct gr_str bytes;
    bool is_64;
};

/* One program header, of either class. */
struct segment {
    uint32_t type;
    uint64_t offset, address, file_bytes;
};

/* Entries of the dynamic section that matter here. */
struct dynamic {
    uint64_t strings; /* address */
    uint64_t strings_bytes;
    uint64_t run_path; /* offset in the strings plus one; 0: none */
    uint64_t needed[GR_ELF_NEEDED_MAX];
    size_t needed_n;
};

/* Whether n bytes at offset are there. */
static bool is_there(const struct reader *r, uint64_t offset, uint64_t n)
{
    return offset <= r->bytes.n && n <= r->bytes.n - offset;
}

static bool copy(const struct reader *r, uint64_t offset, void *to, size_t n)
{
    if (!is_there(r, offset, n))
        return false;
    memcpy(to, r->bytes.p + offset, n);
    return true;
}

static bool read_segment(const struct reader *r, uint64_t offset, struct segment *out)
{
    Elf64_Phdr wide;
    Elf32_Phdr narrow;

    if (r->is_64) {
        if (!copy(r, offset, &wide, sizeof(wide)))
            return false;
        *out = (struct segment){.type = wide.p_type,
                                .offset = wide.p_offset,
                                .address = wide.p_vaddr,
                                .file_bytes = wide.p_filesz};
        return true;
    }
    if (!copy(r, offset, &narrow, sizeof(narrow)))
        return false;
    *out = (struct segment){.type = narrow.p_type,
                            .offset = narrow.p_offset,
                            .address = narrow.p_vaddr,
                            .file_bytes = narrow.p_filesz};
    return true;
}

struct headers {
    uint64_t offset;
    uint64_t each;
    uint64_t n;
};

static bool read_headers(const struct reader *r, struct headers *out, uint16_t *out_machine)
{
    Elf64_Ehdr wide;
    Elf32_Ehdr narrow;

    if (r->is_64) {
        if (!copy(r, 0, &wide, sizeof(wide)))
            return false;
        *out_machine = wide.e_machine;
        *out =
            (struct headers){.offset = wide.e_phoff, .each = sizeof(Elf64_Phdr), .n = wide.e_phnum};
        return wide.e_phentsize == sizeof(Elf64_Phdr) && out->n <= HEADERS_MAX;
    }
    if (!copy(r, 0, &narrow, sizeof(narrow)))
        return false;
    *out_machine = narrow.e_machine;
    *out =
        (struct headers){.offset = narrow.e_phoff, .each = sizeof(Elf32_Phdr), .n = narrow.e_phnum};
    return narrow.e_phentsize == sizeof(Elf32_Phdr) && out->n <= HEADERS_MAX;
}

/* The text at an offset, up to its NUL byte; n == 0: it is not whole. */
static struct gr_str text_at(const struct reader *r, uint64_t offset, uint64_t max)
{
    struct gr_str text;

    if (offset > r->bytes.n)
        return GR_STR_NONE;
    text = gr_str_skip(r->bytes, (size_t)offset);
    if (max < text.n)
        text = gr_str_first(text, (size_t)max);
    return gr_str_find(text, '\0') < text.n ? gr_str_first(text, gr_str_find(text, '\0'))
                                            : GR_STR_NONE;
}

static void take_dynamic(struct dynamic *dynamic, uint64_t tag, uint64_t value)
{
    switch (tag) {
    case DT_STRTAB:
        dynamic->strings = value;
        break;
    case DT_STRSZ:
        dynamic->strings_bytes = value;
        break;
    case DT_RPATH:
        if (dynamic->run_path == 0)
            dynamic->run_path = value + 1;
        break;
    case DT_RUNPATH:
        dynamic->run_path = value + 1;
        break;
    case DT_NEEDED:
        if (dynamic->needed_n < GR_ELF_NEEDED_MAX)
            dynamic->needed[dynamic->needed_n++] = value;
        break;
    default:
        break;
    }
}

/* False: the section does not lie within the bytes. */
static bool read_dynamic(const struct reader *r, const struct segment *segment, struct dynamic *out)
{
    size_t each = r->is_64 ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);

    if (!is_there(r, segment->offset, segment->file_bytes))
        return false;
    for (uint64_t at = 0; at + each <= segment->file_bytes; at += each) {
        Elf64_Dyn wide = {0};
        Elf32_Dyn narrow = {0};

        if (r->is_64) {
            (void)copy(r, segment->offset + at, &wide, sizeof(wide));
        } else {
            (void)copy(r, segment->offset + at, &narrow, sizeof(narrow));
            wide.d_tag = narrow.d_tag;
            wide.d_un.d_val = narrow.d_un.d_val;
        }
        if (wide.d_tag == DT_NULL)
            return true;
        take_dynamic(out, (uint64_t)wide.d_tag, wide.d_un.d_val);
    }
    return true;
}

/* The place in the file of an address; false: no segment has it. */
static bool place_of(const struct reader *r, const struct headers *headers, uint64_t address,
                     uint64_t *out_offset)
{
    for (uint64_t i = 0; i < headers->n; i++) {
        struct segment s;

        if (!read_segment(r, headers->offset + i * headers->each, &s))
            return false;
        if (s.type != PT_LOAD || address < s.address || address - s.address >= s.file_bytes)
            continue;
        *out_offset = s.offset + (address - s.address);
        return true;
    }
    return false;
}

/* The names that the dynamic section points to. */
static void read_names(const struct reader *r, const struct headers *headers,
                       const struct dynamic *dynamic, struct gr_elf *out)
{
    uint64_t strings = 0;

    if (!place_of(r, headers, dynamic->strings, &strings) ||
        !is_there(r, strings, dynamic->strings_bytes)) {
        out->complete = false;
        return;
    }
    for (size_t i = 0; i < dynamic->needed_n; i++) {
        uint64_t at = dynamic->needed[i];
        struct gr_str name = GR_STR_NONE;

        if (at < dynamic->strings_bytes)
            name = text_at(r, strings + at, dynamic->strings_bytes - at);
        if (name.n > 0)
            out->needed[out->needed_n++] = name;
    }
    if (dynamic->run_path > 0 && dynamic->run_path - 1 < dynamic->strings_bytes)
        out->run_path = text_at(r, strings + dynamic->run_path - 1,
                                dynamic->strings_bytes - (dynamic->run_path - 1));
}

static bool begin(struct gr_str bytes, struct reader *r, struct headers *headers,
                  uint16_t *out_machine)
{
    if (bytes.n < EI_NIDENT || memcmp(bytes.p, ELFMAG, SELFMAG) != 0 ||
        bytes.p[EI_DATA] != ELFDATA2LSB)
        return false;
    *r = (struct reader){.bytes = bytes, .is_64 = bytes.p[EI_CLASS] == ELFCLASS64};
    return read_headers(r, headers, out_machine);
}

bool gr_elf_read(struct gr_str bytes, struct gr_elf *out)
{
    struct reader r;
    struct dynamic dynamic = {0};
    struct gr_elf elf = {.complete = true};
    struct headers headers;

    if (!begin(bytes, &r, &headers, &elf.machine))
        return false;
    for (uint64_t i = 0; i < headers.n; i++) {
        struct segment s;

        if (!read_segment(&r, headers.offset + i * headers.each, &s)) {
            elf.complete = false;
            break;
        }
        if (s.type == PT_INTERP) {
            elf.interpreter = text_at(&r, s.offset, s.file_bytes);
            elf.complete = elf.complete && elf.interpreter.n > 0;
        } else if (s.type == PT_DYNAMIC) {
            elf.complete = elf.complete && read_dynamic(&r, &s, &dynamic);
        }
    }
    if (elf.complete && dynamic.needed_n > 0)
        read_names(&r, &headers, &dynamic, &elf);
    *out = elf;
    return true;
}

/* Parts of a note have places that 4 divides. */
static uint64_t padded(uint32_t n)
{
    return ((uint64_t)n + 3) & ~UINT64_C(3);
}

/* Notes of one segment stand one behind the other. */
static struct gr_str find_note(const struct reader *r, const struct segment *segment,
                               struct gr_str owner, uint32_t type)
{
    uint64_t end = segment->offset + segment->file_bytes;
    uint64_t at = segment->offset;
    Elf64_Nhdr head; /* the narrow one is the same */

    while (end > at && end - at >= sizeof(head) && copy(r, at, &head, sizeof(head))) {
        uint64_t name = at + sizeof(head);
        uint64_t text = name + padded(head.n_namesz);

        if (head.n_type == type && head.n_namesz == owner.n + 1 &&
            gr_str_eq(text_at(r, name, head.n_namesz), owner))
            return text_at(r, text, head.n_descsz);
        at = text + padded(head.n_descsz);
    }
    return GR_STR_NONE;
}

struct gr_str gr_elf_note(struct gr_str bytes, const char *owner, uint32_t type)
{
    struct gr_str found = GR_STR_NONE;
    struct headers headers;
    uint16_t machine;
    struct reader r;

    if (!begin(bytes, &r, &headers, &machine))
        return GR_STR_NONE;
    for (uint64_t i = 0; i < headers.n && found.n == 0; i++) {
        struct segment s;

        if (!read_segment(&r, headers.offset + i * headers.each, &s))
            break;
        if (s.type == PT_NOTE && is_there(&r, s.offset, s.file_bytes))
            found = find_note(&r, &s, gr_str_from(owner), type);
    }
    return found;
}

uint16_t gr_elf_own_machine(void)
{
#if defined(__x86_64__)
    return EM_X86_64;
#elif defined(__aarch64__)
    return EM_AARCH64;
#elif defined(__riscv)
    return EM_RISCV;
#else
    return EM_NONE; /* not known: nothing is said about it */
#endif
}

bool gr_elf_is_narrow(uint16_t machine, uint16_t of)
{
    return (machine == EM_386 && of == EM_X86_64) || (machine == EM_ARM && of == EM_AARCH64);
}

const char *gr_elf_machine_name(uint16_t machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "arm64";
    case EM_RISCV:
        return "RISC-V";
    case EM_386:
        return "32-bit x86";
    case EM_ARM:
        return "32-bit arm";
    default:
        return "another machine";
    }
}
