/* SPDX-License-Identifier: Apache-2.0 */
/* app/setup/program: what is this program, and what only looks like it. */
#include "load/realfs.h"

#include <elf.h>

#include "app/setup/program.h"

static char version[GR_PROGRAM_VERSION_BYTES];

static bool is_ours(const char *path)
{
    bool result;
    int node;

    node = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(node >= 0);
    result = gr_program_is_ours(&fs, node, version);
    gr_fs_close(&fs, &node);
    return result;
}

/* This test is linked with it. */
static void test_own(void **state)
{
    (void)state;
    begin();
    assert_true(is_ours("/proc/self/exe"));
    assert_in_range(version[0], (int)'0', (int)'9');
    assert_false(is_ours("/bin/sh"));
    assert_string_equal(version, "");
    end();
}

struct image {
    Elf64_Ehdr head;
    Elf64_Phdr notes[2];
    Elf64_Nhdr other;
    char other_owner[4], other_text[8];
    Elf64_Nhdr note;
    char owner[8], text[8];
};

static struct image make_image(void)
{
    struct image image = {
        .head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
                 .e_phoff = offsetof(struct image, notes),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2},
        .notes = {{.p_type = PT_LOAD, .p_filesz = sizeof(image)},
                  {.p_type = PT_NOTE,
                   .p_offset = offsetof(struct image, other),
                   .p_filesz = sizeof(image) - offsetof(struct image, other)}},
        .other = {.n_namesz = 4, .n_descsz = 7, .n_type = 1},
        .other_owner = "GNU",
        .other_text = "\1\2\3\4\5\6",
        .note = {.n_namesz = 8, .n_descsz = 8, .n_type = 1},
        .owner = "Grapnel",
        .text = "9.8.7",
    };

    return image;
}

static bool image_is_ours(const void *image, size_t bytes)
{
    int fd = open(at("/image"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, image, bytes), bytes);
    assert_int_equal(close(fd), 0);
    return is_ours(at("/image"));
}

static void test_images(void **state)
{
    struct image image = make_image();

    (void)state;
    begin();
    assert_true(image_is_ours(&image, sizeof(image)));
    assert_string_equal(version, "9.8.7");
    /* Of half a copy it is known as well, as soon as the note is there. */
    for (size_t n = 0; n < sizeof(image); n++)
        assert_false(image_is_ours(&image, n));
    image.owner[6] = 'L';
    assert_false(image_is_ours(&image, sizeof(image)));
    image = make_image();
    image.note.n_type = 2;
    assert_false(image_is_ours(&image, sizeof(image)));
    image = make_image();
    image.text[0] = '\0';
    assert_false(image_is_ours(&image, sizeof(image)));
    image = make_image();
    memset(image.text, 'x', sizeof(image.text)); /* no end */
    assert_false(image_is_ours(&image, sizeof(image)));
    image = make_image();
    image.head.e_ident[EI_CLASS] = ELFCLASS32;
    assert_false(image_is_ours(&image, sizeof(image)));
    end();
}

/* Sizes and places that lie: read at most what is there. */
static void test_hostile(void **state)
{
    static const uint32_t sizes[] = {0, 1, 3, 5, 0x7fffffff, 0xfffffffd, 0xffffffff};
    struct image image;

    (void)state;
    begin();
    for (size_t i = 0; i < GR_ARRAY_LEN(sizes); i++) {
        image = make_image();
        image.other.n_namesz = sizes[i];
        (void)image_is_ours(&image, sizeof(image));
        image = make_image();
        image.other.n_descsz = sizes[i];
        (void)image_is_ours(&image, sizeof(image));
        image = make_image();
        image.note.n_descsz = sizes[i];
        assert_int_equal(image_is_ours(&image, sizeof(image)), sizes[i] > 5);
        image = make_image();
        image.notes[1].p_filesz = sizes[i];
        assert_false(image_is_ours(&image, sizeof(image)));
        image = make_image();
        image.notes[1].p_offset = UINT64_MAX - sizes[i];
        assert_false(image_is_ours(&image, sizeof(image)));
        image = make_image();
        image.head.e_phoff = UINT64_MAX - sizes[i];
        assert_false(image_is_ours(&image, sizeof(image)));
    }
    end();
}

int main(void)
{
    test_add("own", test_own);
    test_add("images", test_images);
    test_add("hostile", test_hostile);
    return test_run("program");
}
