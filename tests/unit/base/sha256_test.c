/* SPDX-License-Identifier: Apache-2.0 */
/* base/sha256: the examples of FIPS 180-4 and of NIST's CAVP, and every way to cut a text. */
#include "testing.h"

#include "base/sha256.h"

struct row {
    const char *name;
    const char *text;
    size_t times;
    const char *digest;
};

static const struct row rows[] = {
    {"nothing", "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"a million", "a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    {"one short of the length", "a", 55,
     "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
    {"no room for the length", "a", 56,
     "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
    {"a block", "a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
};

static void digests(void **state)
{
    const struct row *row = *state;
    char digest[GR_SHA256_HEX + 1];
    struct gr_sha256 sha;

    gr_sha256_init(&sha);
    for (size_t i = 0; i < row->times; i++)
        gr_sha256_add(&sha, row->text, strlen(row->text));
    gr_sha256_end(&sha, digest);
    assert_string_equal(digest, row->digest);
}

static void test_pieces(void **state)
{
    unsigned char text[200];
    char whole[GR_SHA256_HEX + 1];
    struct gr_sha256 sha;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (unsigned char)(i * 7);
    gr_sha256_init(&sha);
    gr_sha256_add(&sha, text, sizeof(text));
    gr_sha256_end(&sha, whole);
    for (size_t cut = 0; cut <= sizeof(text); cut++) {
        char pieces[GR_SHA256_HEX + 1];

        gr_sha256_init(&sha);
        gr_sha256_add(&sha, text, cut);
        gr_sha256_add(&sha, text + cut, sizeof(text) - cut);
        gr_sha256_end(&sha, pieces);
        assert_string_equal(pieces, whole);
    }
}

int main(void)
{
    TEST_ADD_ROWS(digests, rows);
    test_add("pieces", test_pieces);
    return test_run("sha256");
}
