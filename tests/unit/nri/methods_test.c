/* SPDX-License-Identifier: Apache-2.0 */
/* nri/methods: every method of every NRI release, and what is none of them. */
#include "testing.h"

#include "nri/methods.h"

struct row {
    const char *name;
    enum gr_nri_method method;
};

/* The Plugin service of NRI 0.12.2: all of 0.2 and what came later. */
static const struct row plugin_rows[] = {
    {"Configure", GR_NRI_CONFIGURE},
    {"Synchronize", GR_NRI_SYNCHRONIZE},
    {"Shutdown", GR_NRI_SHUTDOWN},
    {"RunPodSandbox", GR_NRI_OTHER},
    {"UpdatePodSandbox", GR_NRI_OTHER},
    {"PostUpdatePodSandbox", GR_NRI_OTHER},
    {"StopPodSandbox", GR_NRI_OTHER},
    {"RemovePodSandbox", GR_NRI_OTHER},
    {"CreateContainer", GR_NRI_CREATE_CONTAINER},
    {"PostCreateContainer", GR_NRI_OTHER},
    {"StartContainer", GR_NRI_OTHER},
    {"PostStartContainer", GR_NRI_OTHER},
    {"UpdateContainer", GR_NRI_OTHER},
    {"PostUpdateContainer", GR_NRI_OTHER},
    {"StopContainer", GR_NRI_OTHER},
    {"RemoveContainer", GR_NRI_OTHER},
    {"StateChange", GR_NRI_OTHER},
    {"ValidateContainerAdjustment", GR_NRI_OTHER},
    {"", GR_NRI_UNKNOWN},
    {"configure", GR_NRI_UNKNOWN},
    {"Configure2", GR_NRI_UNKNOWN},
    {"Configur", GR_NRI_UNKNOWN},
    {"RegisterPlugin", GR_NRI_UNKNOWN},
    {"UpdateContainers", GR_NRI_UNKNOWN},
};

static void plugin_service(void **state)
{
    const struct row *row = *state;

    assert_int_equal(gr_nri_method(GR_STR(GR_NRI_SERVICE_PLUGIN), gr_str_from(row->name)),
                     row->method);
}

static const struct row other_services[] = {
    {"", GR_NRI_UNKNOWN},
    {"nri.pkg.api.v1alpha1.Runtime", GR_NRI_UNKNOWN},
    {"nri.pkg.api.v1alpha1.plugin", GR_NRI_UNKNOWN},
    {"nri.pkg.api.v1alpha1.Plugin.", GR_NRI_UNKNOWN},
    {"nri.pkg.api.v1beta1.Plugin", GR_NRI_UNKNOWN},
};

static void other_service(void **state)
{
    const struct row *row = *state;

    assert_int_equal(gr_nri_method(gr_str_from(row->name), GR_STR("Configure")), row->method);
}

/* A NUL byte does not end a name. */
static void test_nul(void **state)
{
    (void)state;
    assert_int_equal(gr_nri_method(GR_STR(GR_NRI_SERVICE_PLUGIN), GR_STR("Configure\0")),
                     GR_NRI_UNKNOWN);
}

/* Valid with every release (bits that a runtime does not know drop the plugin), and never 0. */
static void test_mask(void **state)
{
    (void)state;
    assert_int_equal(GR_NRI_EVENT_CREATE_CONTAINER, 1 << (4 - 1));
    assert_int_equal(GR_NRI_EVENT_CREATE_CONTAINER & ~0x07ff, 0);
}

int main(void)
{
    TEST_ADD_ROWS(plugin_service, plugin_rows);
    TEST_ADD_ROWS(other_service, other_services);
    test_add("a NUL byte does not end a name", test_nul);
    test_add("the event mask", test_mask);
    return test_run("methods");
}
