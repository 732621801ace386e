/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of images as distribution/reference reads them (ParseNormalizedNamed), with the exceptions
 * that what is an image id, or the beginning of one, is no name, that the case of a registry does
 * not matter, and that another name of the same registry is that name: who writes a pod could avoid
 * a rule with it.
 *
 *     name       = [ domain "/" ] component { "/" component } [ ":" tag ] [ "@" digest ]
 *     component  = alphanumerics { ( "." | "_" | "__" | "-"... ) alphanumerics }
 *     tag        = word character { word character | "." | "-" }, at most 128
 *     digest     = algorithm ":" at least 32 hexadecimal digits
 *
 * The first segment is a domain when it holds "." or ":" or a capital letter or is "localhost".
 */
#include "rules/pattern/imageref.h"

#include <errno.h>

#include "rules/pattern/imagename.h"
#include "rules/limits.h"

#define TAG_MAX_BYTES 128
#define HEX_MIN 32
/* distribution/reference: RepositoryNameTotalLengthMax, without the domain. */
#define REPOSITORY_MAX_BYTES 255

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c);
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* How many leading characters of s satisfy is. */
static size_t span(struct gr_str s, bool (*is)(char c))
{
    size_t n = 0;

    while (n < s.n && is(s.p[n]))
        n++;
    return n;
}

bool gr_image_is_domain(struct gr_str segment)
{
    for (size_t i = 0; i < segment.n; i++) {
        if (segment.p[i] == '.' || segment.p[i] == ':' || is_upper(segment.p[i]))
            return true;
    }
    return gr_str_is(segment, "localhost");
}

static bool is_port(struct gr_str port)
{
    return port.n > 0 && span(port, is_digit) == port.n;
}

/* An IPv6 address in brackets; distribution/reference looks no closer than this either. */
static bool is_bracketed(struct gr_str host)
{
    if (host.n < 3 || host.p[0] != '[' || host.p[host.n - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < host.n; i++) {
        if (!is_digit(host.p[i]) && !(host.p[i] >= 'a' && host.p[i] <= 'f') &&
            !(host.p[i] >= 'A' && host.p[i] <= 'F') && host.p[i] != ':')
            return false;
    }
    return true;
}

/* Labels of letters, digits and inner dashes between dots. */
static bool is_host(struct gr_str host)
{
    size_t label = 0;

    for (size_t i = 0; i <= host.n; i++) {
        if (i < host.n && host.p[i] != '.') {
            if (!is_alnum(host.p[i]) && host.p[i] != '-')
                return false;
            continue;
        }
        if (i == label || host.p[label] == '-' || host.p[i - 1] == '-')
            return false;
        label = i + 1;
    }
    return true;
}

static bool is_valid_domain(struct gr_str domain)
{
    size_t close = domain.n && domain.p[0] == '[' ? gr_str_rfind(domain, ']') + 1 : 0;
    size_t colon;
    struct gr_str host;

    if (close > domain.n)
        return false;
    colon = close + gr_str_find(gr_str_skip(domain, close), ':');
    host = gr_str_first(domain, colon);
    if (colon < domain.n && !is_port(gr_str_skip(domain, colon + 1)))
        return false;
    return close ? is_bracketed(host) : is_host(host);
}

static bool is_component_char(char c)
{
    return is_lower(c) || is_digit(c);
}

static bool is_dash(char c)
{
    return c == '-';
}

/* Lower-case letters and digits, between them one ".", one or two "_" or any number of "-". */
static bool is_component(struct gr_str s)
{
    for (;;) {
        size_t n = span(s, is_component_char);
        size_t separator;

        if (n == 0)
            return false;
        s = gr_str_skip(s, n);
        if (s.n == 0)
            return true;
        separator = span(s, is_dash);
        if (separator == 0 && s.p[0] == '.')
            separator = 1;
        else if (separator == 0 && s.p[0] == '_')
            separator = s.n > 1 && s.p[1] == '_' ? 2 : 1;
        if (separator == 0)
            return false;
        s = gr_str_skip(s, separator);
    }
}

static bool is_valid_repository(struct gr_str path, bool implied_library)
{
    if (path.n + (implied_library ? sizeof("library/") - 1 : 0) > REPOSITORY_MAX_BYTES)
        return false;
    for (;;) {
        size_t slash = gr_str_find(path, '/');

        if (!is_component(gr_str_first(path, slash)))
            return false;
        if (slash == path.n)
            return true;
        path = gr_str_skip(path, slash + 1);
    }
}

static bool is_valid_tag(struct gr_str tag)
{
    if (tag.n == 0 || tag.n > TAG_MAX_BYTES || (!is_alnum(tag.p[0]) && tag.p[0] != '_'))
        return false;
    for (size_t i = 1; i < tag.n; i++) {
        if (!is_alnum(tag.p[i]) && tag.p[i] != '_' && tag.p[i] != '.' && tag.p[i] != '-')
            return false;
    }
    return true;
}

/* Length of the hexadecimal part of the digests that are in use; 0 for any other algorithm. */
static size_t digest_hex(struct gr_str algorithm)
{
    if (gr_str_is(algorithm, "sha256"))
        return 64;
    if (gr_str_is(algorithm, "sha384"))
        return 96;
    return gr_str_is(algorithm, "sha512") ? 128 : 0;
}

/* Words of letters and digits, each beginning with a letter, between one of "+._-". */
static bool is_valid_algorithm(struct gr_str s)
{
    for (;;) {
        size_t n = span(s, is_alnum);

        if (n == 0 || is_digit(s.p[0]))
            return false;
        if (n == s.n)
            return true;
        if (!memchr("+._-", s.p[n], 4))
            return false;
        s = gr_str_skip(s, n + 1);
    }
}

static bool is_valid_digest(struct gr_str digest)
{
    size_t colon = gr_str_find(digest, ':');
    struct gr_str hex = gr_str_skip(digest, colon + 1);
    size_t want = digest_hex(gr_str_first(digest, colon));

    if (colon == digest.n || span(hex, is_hex) != hex.n)
        return false;
    return want ? hex.n == want
                : hex.n >= HEX_MIN && is_valid_algorithm(gr_str_first(digest, colon));
}

/*
 * Behind an algorithm any number of digits: containerd takes "sha256:" and the first digits of an
 * id for the image that has it, and to kubelet that is the name "sha256" with a tag.
 */
bool gr_image_is_id(struct gr_str name)
{
    size_t colon = gr_str_find(name, ':');
    struct gr_str hex = gr_str_skip(name, colon + 1);

    if (colon == name.n)
        return name.n == 64 && span(name, is_hex) == name.n;
    return digest_hex(gr_str_first(name, colon)) && hex.n > 0 && span(hex, is_hex) == hex.n;
}

static char to_lower(char c)
{
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* Names of hosts know no case; name is in lower case. */
static bool is_host_name(struct gr_str domain, const char *name)
{
    struct gr_str wanted = gr_str_from(name);

    if (domain.n != wanted.n)
        return false;
    for (size_t i = 0; i < domain.n; i++) {
        if (to_lower(domain.p[i]) != wanted.p[i])
            return false;
    }
    return true;
}

/* Names under which Docker's registry answers. */
static bool is_default_domain(struct gr_str domain)
{
    static const char *const names[] = {GR_IMAGE_DEFAULT_DOMAIN, "index.docker.io",
                                        "registry-1.docker.io", "registry.hub.docker.com"};

    for (size_t i = 0; i < GR_ARRAY_LEN(names); i++) {
        if (is_host_name(domain, names[i]))
            return true;
    }
    return false;
}

/* Port 443 is where a registry is looked for anyway. A pattern of hosts keeps it, since what is
 * left could fit more than was written, and is refused later. */
static struct gr_str without_usual_port(struct gr_str domain)
{
    struct gr_str host = gr_str_first(domain, gr_str_rfind(domain, ':'));
    struct gr_str port = gr_str_skip(domain, host.n + 1);

    while (port.n > 0 && port.p[0] == '0')
        port = gr_str_skip(port, 1);
    if (host.n == 0 || !gr_str_is(port, "443") || gr_str_find(host, '*') < host.n ||
        gr_str_find(host, '?') < host.n)
        return domain;
    if (host.p[host.n - 1] != ']' && gr_str_find(host, ':') < host.n)
        return domain;
    return host;
}

struct gr_image_parts gr_image_split(struct gr_str name)
{
    struct gr_image_parts parts = {0};
    size_t at = gr_str_find(name, '@');
    struct gr_str rest = gr_str_first(name, at);
    size_t slash = gr_str_rfind(rest, '/');
    size_t last = slash == rest.n ? 0 : slash + 1;
    size_t colon = last + gr_str_find(gr_str_skip(rest, last), ':');

    parts.has_digest = at < name.n;
    parts.digest = gr_str_skip(name, at + 1);
    parts.has_tag = colon < rest.n;
    parts.tag = gr_str_skip(rest, colon + 1);
    parts.path = gr_str_first(rest, colon);

    slash = gr_str_find(parts.path, '/');
    if (slash < parts.path.n && gr_image_is_domain(gr_str_first(parts.path, slash))) {
        parts.domain = without_usual_port(gr_str_first(parts.path, slash));
        parts.path = gr_str_skip(parts.path, slash + 1);
    } else {
        parts.domain = GR_STR(GR_IMAGE_DEFAULT_DOMAIN);
    }
    if (is_default_domain(parts.domain))
        parts.domain = GR_STR(GR_IMAGE_DEFAULT_DOMAIN);
    parts.implied_library = gr_str_is(parts.domain, GR_IMAGE_DEFAULT_DOMAIN) &&
                            gr_str_find(parts.path, '/') == parts.path.n;
    return parts;
}

int gr_image_parse(struct gr_str name, struct gr_image *out_image)
{
    struct gr_image_parts parts;

    *out_image = (struct gr_image){.name = name};
    if (name.n == 0 || name.n > GR_IMAGE_NAME_MAX_BYTES || gr_image_is_id(name))
        return -EINVAL;
    parts = gr_image_split(name);
    if (!is_valid_domain(parts.domain) || !is_valid_repository(parts.path, parts.implied_library) ||
        (parts.has_tag && !is_valid_tag(parts.tag)) ||
        (parts.has_digest && !is_valid_digest(parts.digest)))
        return -EINVAL;
    out_image->known = true;
    out_image->registry = parts.domain;
    out_image->repository = parts.path;
    out_image->implied_library = parts.implied_library;
    if (parts.has_tag)
        out_image->tag = parts.tag;
    else if (!parts.has_digest)
        out_image->tag = GR_STR("latest");
    if (parts.has_digest)
        out_image->digest = parts.digest;
    return 0;
}

bool gr_image_next_segment(const struct gr_image *image, struct gr_image_at *at,
                           struct gr_str *out_segment)
{
    struct gr_str rest;

    if (at->part == 0) {
        *out_segment = image->registry;
        at->part = image->implied_library ? 1 : 2;
        return true;
    }
    if (at->part == 1) {
        *out_segment = GR_STR("library");
        at->part = 2;
        return true;
    }
    if (at->offset > image->repository.n)
        return false;
    rest = gr_str_skip(image->repository, at->offset);
    *out_segment = gr_str_first(rest, gr_str_find(rest, '/'));
    at->offset += out_segment->n + 1;
    return true;
}
