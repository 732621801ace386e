/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the journal share: a run directory, containers and decisions about them. */
#ifndef GR_TESTS_JOURNALING_H
#define GR_TESTS_JOURNALING_H

#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "state/journal.h"
#include "state/limits.h"

static char journal_dir[] = "/tmp/grapnel-journal-XXXXXX";

static inline char *journal_path(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", journal_dir, name);
    return path;
}

static inline struct gr_journal *journal_opened(void)
{
    struct gr_journal *journal = NULL;
    struct gr_err err = {0};

    if (gr_journal_open(journal_dir, &journal, &err) != 0)
        fail_msg("%s", err.text);
    return journal;
}

/* Free the buffer. */
static inline struct gr_str journal_text(const char *name, struct gr_buf *buf)
{
    int fd = open(journal_path(name), O_RDONLY | O_CLOEXEC);
    char bytes[4096];
    ssize_t n;

    gr_buf_init(buf, 64U << 20);
    assert_true(fd >= 0);
    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        assert_int_equal(gr_buf_add(buf, bytes, (size_t)n), 0);
    assert_int_equal(n, 0);
    (void)close(fd);
    return gr_buf_view(buf);
}

static inline bool journal_has(const char *name, const char *text)
{
    struct gr_buf buf;
    struct gr_str all = journal_text(name, &buf);
    bool found = all.n > 0 && memmem(all.p, all.n, text, strlen(text));

    gr_buf_fini(&buf);
    return found;
}

static inline void journal_write(const char *name, struct gr_str text)
{
    int fd = open(journal_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
    (void)close(fd);
}

static const struct gr_hookset journal_set = {.name = {"tap", 3}, .hash = 0x1234};
static const struct gr_set_result journal_injected = {
    .set = &journal_set, .truth = GR_TRUE, .verdict = GR_VERDICT_INJECTED};
static const struct gr_oci_hook journal_hook = {.path = {"/x", 2}};

static inline struct gr_subject journal_subject(const char *id)
{
    struct gr_subject subject = {.id = gr_str_from(id),
                                 .name = GR_STR("front"),
                                 .pod_name = GR_STR("shop"),
                                 .pod_namespace = GR_STR("web"),
                                 .pod_uid = GR_STR("u-1"),
                                 .runtime = GR_STR("containerd")};

    assert_int_equal(gr_image_parse(GR_STR("nginx:1.27"), &subject.image), 0);
    return subject;
}

static inline struct gr_decision journal_decision(bool injected)
{
    return (struct gr_decision){.hooks = &journal_hook,
                                .hooks_n = injected,
                                .results = &journal_injected,
                                .results_n = injected};
}

/* A decision about the container of this id. */
static inline int journal_decide(struct gr_journal *journal, const char *id, bool injected)
{
    const struct gr_subject subject = journal_subject(id);
    const struct gr_decision decision = journal_decision(injected);

    return gr_journal_decided(journal, &subject, &decision, NULL, false);
}

#define ASSERT_KNOWN(journal, id, known) \
    assert_int_equal(gr_journal_known((journal), GR_STR(id)), (known))

/* An empty run directory for each test. */
static inline int journal_begin(void **state)
{
    (void)state;
    (void)snprintf(journal_dir, sizeof(journal_dir), "%s", "/tmp/grapnel-journal-XXXXXX");
    return mkdtemp(journal_dir) ? chmod(journal_dir, 0755) : -1;
}

static inline int journal_end(void **state)
{
    (void)state;
    (void)unlink(journal_path("decisions"));
    (void)unlink(journal_path("decisions.old"));
    return rmdir(journal_dir); /* nothing else may be left there */
}

#endif
