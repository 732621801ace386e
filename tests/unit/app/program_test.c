/* SPDX-License-Identifier: Apache-2.0 */
/* app/setup/program: what is this program, and what only looks like it. */
#include "load/realfs.h"

#include "app/setup/program.h"
#include "noted.h"

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
    image.text[1] = '\033'; /* a terminal would act on it */
    assert_false(image_is_ours(&image, sizeof(image)));
    assert_string_equal(version, "");
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
