/* SPDX-License-Identifier: Apache-2.0 */
#include "load/program.h"

#include <elf.h>

#include "load/elf.h"
#include "memfs.h"

#define PROGRAM "/opt/hooks/x"
#define OUT_BYTES 2048

struct found {
    char codes[256];
    char text[OUT_BYTES]; /* of the last one */
    unsigned infos;
};

static struct memfs host;

static void note(void *user, enum gr_level level, const struct gr_err *err)
{
    struct found *found = user;

    found->infos += level == GR_LEVEL_INFO ? 1 : 0;
    assert_true(level == GR_LEVEL_INFO || level == GR_LEVEL_WARNING);
    assert_string_equal(err->file, "rules.yaml");
    assert_int_equal(err->line, 9);
    (void)snprintf(found->codes + strlen(found->codes), sizeof(found->codes) - strlen(found->codes),
                   "%s%s", found->codes[0] ? " " : "", err->code);
    (void)snprintf(found->text, sizeof(found->text), "%s", err->text);
}

/* What is said about PROGRAM as it is on the host. */
static void check_on(enum gr_stage stage, struct found *out)
{
    static const struct gr_cond always = {.kind = GR_COND_ALWAYS, .always = true};
    const struct gr_reporter reporter = {.report = note, .user = out};
    const struct gr_hook hooks[] = {{.path = GR_STR(PROGRAM), .line = 9, .column = 3},
                                    {.path = GR_STR(PROGRAM), .line = 9, .column = 3}};
    struct gr_hookset set = {.name = GR_STR("s"), .file = GR_STR("rules.yaml"), .match = &always};
    struct gr_ruleset *ruleset;
    struct gr_arena arena;

    *out = (struct found){.codes = ""};
    set.hooks[stage] = (struct gr_hook_list){.items = hooks, .n = 2};
    gr_arena_init(&arena, 4096, 0);
    assert_int_equal(gr_ruleset_new(&arena, &set, 1, NULL, &ruleset, NULL), 0);
    assert_int_equal(gr_programs_check(&host.fs, "/", ruleset, &reporter), 0);
    gr_ruleset_unref(ruleset);
}

static void host_up(void)
{
    memfs_init(&host);
    mem_program(&host, "/bin/sh");
    mem_program(&host, "/usr/bin/env");
    mem_program(&host, "/usr/bin/python3");
    mem_program(&host, "/lib64/ld-linux-x86-64.so.2");
    mem_file(&host, "/usr/lib/libc.so.6", "");
    mem_file(&host, "/opt/lib/libown.so", "");
    mem_file(&host, "/etc/ld.so.conf.d/own.conf", "# ours\n/opt/conf\n");
    mem_file(&host, "/opt/conf/libconf.so", "");
}

/* ---- scripts ---- */

struct script_row {
    const char *name;
    const char *text;
    const char *codes;
    const char *says;
};

static const struct script_row scripts[] = {
    {"in order", "#!/bin/sh\necho\n", "", ""},
    {"blanks and an option", "#! /bin/sh -e\n", "", ""},
    {"by env", "#!/usr/bin/env python3\n", "", ""},
    {"no interpreter there", "#!/bin/bash\n", "program-interpreter", "/bin/bash"},
    {"no python there", "#!/usr/bin/env python2\n", "program-interpreter", "python2"},
    {"env with an option is not followed", "#!/usr/bin/env -S python2\n", "", ""},
    {"relative", "#!sh\n", "program-interpreter", "absolute path"},
    {"nothing behind", "#!\n", "program-interpreter", "absolute path"},
    {"Windows line ends", "#!/bin/sh\r\necho\r\n", "program-line-ends", "sed -i"},
    {"no script and no program", "echo hello\n", "program-format", "#!"},
    {"empty", "", "program-format", "#!"},
    {"calls docker", "#!/bin/sh\n  id=$(docker ps)\n", "program-calls-engine", "docker"},
    {"calls by path", "#!/bin/sh\n/usr/bin/crictl inspect x\n", "program-calls-engine", "crictl"},
    {"calls from Python", "#!/usr/bin/env python3\nrun([\"docker\", \"ps\"])\n",
     "program-calls-engine", "docker"},
    {"talks about it", "#!/bin/sh\necho \"the docker daemon is up\"\n", "", ""},
    {"names it in a comment", "#!/bin/sh\n  # not docker ps\n", "", ""},
    {"names a file of it", "#!/bin/sh\ncat /var/lib/docker/x my-docker ctr.log\n", "", ""},
    {"calls, and lacks its interpreter", "#!/bin/bash\nctr images ls\n",
     "program-calls-engine program-interpreter", ""},
};

static void script_says(void **state)
{
    const struct script_row *row = *state;
    struct found found;

    host_up();
    mem_program(&host, PROGRAM);
    mem_set(&host, mem_at(&host, PROGRAM), row->text, strlen(row->text));
    check_on(GR_STAGE_POSTSTOP, &found);
    assert_string_equal(found.codes, row->codes);
    assert_non_null(strstr(found.text, row->says));
    check_on(GR_STAGE_START_CONTAINER, &found);
    assert_string_equal(found.codes, "");
    memfs_fini(&host);
}

/* ---- programs ---- */

/* A program with an interpreter, a run path and two libraries, as a linker would lay it out. */
struct image {
    Elf64_Ehdr head;
    Elf64_Phdr segments[3];
    char interpreter[32];
    Elf64_Dyn dynamic[6];
    char strings[64];
};

static void make_image(struct image *image, const char *interpreter, const char *first,
                       const char *second, const char *run_path)
{
    size_t n = 1;

    memset(image, 0, sizeof(*image));
    memcpy(image->head.e_ident, ELFMAG, SELFMAG);
    image->head.e_ident[EI_CLASS] = ELFCLASS64;
    image->head.e_ident[EI_DATA] = ELFDATA2LSB;
    image->head.e_machine = gr_elf_own_machine();
    image->head.e_phoff = offsetof(struct image, segments);
    image->head.e_phentsize = sizeof(Elf64_Phdr);
    image->head.e_phnum = 3;
    image->segments[0] =
        (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = 0x1000, .p_filesz = sizeof(*image)};
    image->segments[1] = (Elf64_Phdr){.p_type = PT_INTERP,
                                      .p_offset = offsetof(struct image, interpreter),
                                      .p_filesz = strlen(interpreter) + 1};
    image->segments[2] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
                                      .p_offset = offsetof(struct image, dynamic),
                                      .p_filesz = sizeof(image->dynamic)};
    (void)snprintf(image->interpreter, sizeof(image->interpreter), "%s", interpreter);
    image->dynamic[0] = (Elf64_Dyn){.d_tag = DT_NEEDED, .d_un.d_val = n};
    n += (size_t)snprintf(image->strings + n, sizeof(image->strings) - n, "%s", first) + 1;
    image->dynamic[1] = (Elf64_Dyn){.d_tag = DT_NEEDED, .d_un.d_val = n};
    n += (size_t)snprintf(image->strings + n, sizeof(image->strings) - n, "%s", second) + 1;
    image->dynamic[2] = (Elf64_Dyn){.d_tag = DT_RUNPATH, .d_un.d_val = n};
    n += (size_t)snprintf(image->strings + n, sizeof(image->strings) - n, "%s", run_path) + 1;
    assert_true(n <= sizeof(image->strings));
    image->dynamic[3] =
        (Elf64_Dyn){.d_tag = DT_STRTAB, .d_un.d_val = 0x1000 + offsetof(struct image, strings)};
    image->dynamic[4] = (Elf64_Dyn){.d_tag = DT_STRSZ, .d_un.d_val = sizeof(image->strings)};
}

static void check_image(const struct image *image, struct found *out)
{
    host_up();
    mem_program(&host, PROGRAM);
    mem_set(&host, mem_at(&host, PROGRAM), (const char *)image, sizeof(*image));
    check_on(GR_STAGE_CREATE_RUNTIME, out);
    memfs_fini(&host);
}

#define LOADER "/lib64/ld-linux-x86-64.so.2"

struct elf_row {
    const char *name;
    const char *interpreter, *first, *second, *run_path;
    const char *codes;
    const char *says;
};

static const struct elf_row elves[] = {
    {"in order", LOADER, "libc.so.6", "libown.so", "/nowhere:/opt/lib", "", ""},
    {"a directory of ld.so.conf", LOADER, "libc.so.6", "libconf.so", "", "", ""},
    {"a library is missing", LOADER, "libc.so.6", "libown.so", "/opt", "program-library",
     "libown.so"},
    {"both are", LOADER, "liba.so", "libb.so", "", "program-library program-library", "libb.so"},
    {"musl's loader", "/lib/ld-musl-x86_64.so.1", "libc.so", "libb.so", "", "program-interpreter",
     "ld-musl"},
    {"a directory beside the program is not known", LOADER, "liba.so", "libb.so", "$ORIGIN/../lib",
     "", ""},
    {"a library by its path", LOADER, "/x/liba.so", "libc.so.6", "", "", ""},
};

static void elf_says(void **state)
{
    const struct elf_row *row = *state;
    struct found found;
    struct image image;

    make_image(&image, row->interpreter, row->first, row->second, row->run_path);
    check_image(&image, &found);
    assert_string_equal(found.codes, row->codes);
    assert_non_null(strstr(found.text, row->says));
}

static void another_machine(void **state)
{
    struct found found;
    struct image image;

    (void)state;
    make_image(&image, LOADER, "libc.so.6", "libc.so.6", "");
    image.head.e_machine = EM_S390;
    check_image(&image, &found);
    assert_string_equal(found.codes, "program-architecture");
    assert_non_null(strstr(found.text, "another machine"));
    assert_int_equal(found.infos, 0);
}

static uint16_t narrow_machine(void)
{
    return gr_elf_own_machine() == EM_AARCH64 ? EM_ARM : EM_386;
}

/* Its loader is looked for, its libraries are not. */
static void a_narrow_machine(void **state)
{
    struct found found;
    struct image image;

    (void)state;
    assert_true(gr_elf_is_narrow(narrow_machine(), gr_elf_own_machine()));
    assert_false(gr_elf_is_narrow(gr_elf_own_machine(), narrow_machine()));
    make_image(&image, LOADER, "libnone.so", "libc.so.6", "");
    image.head.e_machine = narrow_machine();
    check_image(&image, &found);
    assert_string_equal(found.codes, "program-architecture");
    assert_non_null(strstr(found.text, "32-bit"));
    assert_int_equal(found.infos, 1);
    make_image(&image, "/lib/ld-linux.so.2", "libnone.so", "libc.so.6", "");
    image.head.e_machine = narrow_machine();
    check_image(&image, &found);
    assert_string_equal(found.codes, "program-architecture program-interpreter");
    assert_int_equal(found.infos, 1);
}

static void libraries_of_libraries(void **state)
{
    struct image library, image;
    struct found found;

    (void)state;
    make_image(&library, LOADER, "libnone.so", "libnone.so", "");
    make_image(&image, LOADER, "libdeep.so", "libc.so.6", "");
    host_up();
    mem_file(&host, "/usr/lib/libdeep.so", "");
    mem_set(&host, mem_at(&host, "/usr/lib/libdeep.so"), (const char *)&library, sizeof(library));
    mem_program(&host, PROGRAM);
    mem_set(&host, mem_at(&host, PROGRAM), (const char *)&image, sizeof(image));
    check_on(GR_STAGE_CREATE_RUNTIME, &found);
    memfs_fini(&host);
    assert_string_equal(found.codes, "");
}

/* Whatever is cut off or written over, nothing beyond the bytes is read (the sanitizers see it). */
static void damaged(void **state)
{
    struct image image;
    struct gr_elf elf;

    (void)state;
    make_image(&image, LOADER, "libc.so.6", "libown.so", "/opt/lib");
    assert_true(gr_elf_read((struct gr_str){(const char *)&image, sizeof(image)}, &elf));
    assert_true(elf.complete);
    assert_int_equal(elf.needed_n, 2);
    for (size_t n = 0; n < sizeof(image); n++) {
        const uint8_t *bytes = test_exact((const char *)&image, n);

        if (gr_elf_read((struct gr_str){(const char *)bytes, n}, &elf))
            assert_true(elf.needed_n <= 2);
        free((void *)(uintptr_t)bytes);
    }
    for (size_t at = EI_NIDENT; at < sizeof(image); at++) {
        struct image bad = image;

        ((unsigned char *)&bad)[at] = 0xff;
        (void)gr_elf_read((struct gr_str){(const char *)&bad, sizeof(bad)}, &elf);
        assert_true(elf.needed_n <= GR_ELF_NEEDED_MAX);
    }
}

static void not_there(void **state)
{
    struct found found;

    (void)state;
    memfs_init(&host);
    check_on(GR_STAGE_POSTSTOP, &found);
    assert_string_equal(found.codes, "");
    memfs_fini(&host);
}

int main(void)
{
    TEST_ADD_ROWS(script_says, scripts);
    TEST_ADD_ROWS(elf_says, elves);
    test_add("another machine", another_machine);
    test_add("a narrow machine", a_narrow_machine);
    test_add("libraries of libraries", libraries_of_libraries);
    test_add("damaged", damaged);
    test_add("not there", not_there);
    return test_run("program");
}
