/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/read/decode_verify: verify of a hook: how its program is known.
 *
 * Layer: rules. Needs the runner, as all of rules/read/decode_runner: checked in full, not kept.
 */
#include "rules/read/decode_parts.h"
#include "rules/limits.h"

static bool is_all_of(struct gr_str text, const char *more)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool digit = c >= '0' && c <= '9';

        if (!digit && !strchr(more, c))
            return false;
    }
    return true;
}

#define HEX "abcdefABCDEF"
#define BASE64 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/"
/* Those that end a group of two bytes: their last two bits are none. */
#define BASE64_LAST "AEIMQUYcgkosw048"

#define SHA256_DIGITS 64

static int decode_sha256(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    size_t n = 0;
    int r = gr_decode_check_list(d, node, GR_VERIFY_DIGESTS_MAX);

    (void)target;
    if (r != 0)
        return r;
    for (const struct gr_yaml_node *item = node->first; item; item = item->next) {
        size_t before = gr_field_path_index(&d->path, n++);
        struct gr_str digest = GR_STR_NONE;

        r = gr_decode_text(d, item, GR_TEXT_LINE, &digest);
        if (r == 0 && (digest.n != SHA256_DIGITS || !is_all_of(digest, HEX)))
            r = gr_decode_refuse(d, item->at, "bad-digest",
                                 "expected the %d hexadecimal digits that sha256sum prints, found "
                                 "\"%s\"",
                                 SHA256_DIGITS, gr_show(digest).text);
        gr_field_path_cut(&d->path, before);
        if (r < 0)
            return r;
    }
    return 0;
}

/* 42 bytes: "Ed", 8 of the key's number, 32 of the key. */
#define MINISIGN_LETTERS 56

static int decode_minisign_key(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_str key = GR_STR_NONE;
    int r = gr_decode_text(d, node, GR_TEXT_LINE, &key);

    (void)target;
    if (r != 0)
        return r;
    if (key.n != MINISIGN_LETTERS || !gr_str_has_prefix(key, GR_STR("RW")) ||
        !strchr("QRST", key.p[2]) || !is_all_of(key, BASE64))
        return gr_decode_refuse(d, node->at, "bad-public-key",
                                "expected the second line of the file minisign.pub: %d letters "
                                "that begin with RW, found \"%s\"",
                                MINISIGN_LETTERS, gr_show(key).text);
    return 0;
}

static int decode_minisign(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"publicKey", decode_minisign_key, GR_KEY_REQUIRED, "publicKey: RW…"},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define PEM_END "\n-----END PUBLIC KEY-----"
/* RFC 8410: a SubjectPublicKeyInfo of Ed25519 has these 12 bytes and the 32 of the key. */
#define PEM_PREFIX "MCowBQYDK2VwAyEA"
#define PEM_LETTERS 60

static bool is_ed25519_pem(struct gr_str pem)
{
    struct gr_str key;

    if (gr_str_has_suffix(pem, GR_STR("\n")))
        pem = gr_str_first(pem, pem.n - 1);
    if (!gr_str_has_prefix(pem, GR_STR(PEM_BEGIN)) || !gr_str_has_suffix(pem, GR_STR(PEM_END)) ||
        pem.n != sizeof(PEM_BEGIN) + sizeof(PEM_END) - 2 + PEM_LETTERS)
        return false;
    key = gr_str_first(gr_str_skip(pem, sizeof(PEM_BEGIN) - 1), PEM_LETTERS);
    return gr_str_has_prefix(key, GR_STR(PEM_PREFIX)) && key.p[PEM_LETTERS - 1] == '=' &&
           strchr(BASE64_LAST, key.p[PEM_LETTERS - 2]) &&
           is_all_of(gr_str_first(key, PEM_LETTERS - 1), BASE64);
}

static int decode_pem(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    struct gr_str pem = GR_STR_NONE;
    int r = gr_decode_text(d, node, GR_TEXT_BLOCK, &pem);

    (void)target;
    if (r != 0)
        return r;
    if (!is_ed25519_pem(pem))
        return gr_decode_refuse(d, node->at, "bad-public-key",
                                "expected three lines as openssl pkey -pubout prints them for an "
                                "Ed25519 key: -----BEGIN PUBLIC KEY-----, %d letters that begin "
                                "with " PEM_PREFIX ", -----END PUBLIC KEY-----",
                                PEM_LETTERS);
    return 0;
}

static int decode_ed25519(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"pem", decode_pem, GR_KEY_REQUIRED, "pem: | and the key's three lines"},
    };

    return gr_decode_mapping(d, node, GR_KEYS(keys), target);
}

int gr_decode_verify(struct gr_decoder *d, const struct gr_yaml_node *node, void *target)
{
    static const struct gr_key keys[] = {
        {"sha256", decode_sha256, 0, NULL},
        {"minisign", decode_minisign, 0, NULL},
        {"ed25519", decode_ed25519, 0, NULL},
    };
    int r = gr_decode_mapping(d, node, GR_KEYS(keys), target);

    if (r == 0 && node->n > 1)
        r = gr_decode_refuse(d, node->at, "bad-form",
                             "expected exactly one of sha256, minisign and ed25519, found %zu keys",
                             node->n);
    return r;
}
