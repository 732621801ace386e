/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/doctor/codes: every code that a check can find, and why it matters.
 *
 * Layer: app. specs/doctor.md has the same codes; a test compares them. Findings about rules have
 * the codes of specs/errors.md.
 */
#include "app/doctor/doctor.h"

#define ERROR GR_LEVEL_ERROR
#define WARNING GR_LEVEL_WARNING
#define INFO GR_LEVEL_INFO

const struct gr_doctor_code gr_doctor_codes[] = {
    {"no-runtime", ERROR, "only containerd and CRI-O ask NRI plugins about containers"},
    {"runtime-not-seen", INFO,
     "how it is configured, and whether it launches other plugins, is not checked"},
    {"runtime-not-running", ERROR, "nobody asks the plugin about containers"},
    {"runtime-too-old", ERROR, "this release contains no NRI, so no plugin is ever asked"},
    {"nri-old", WARNING,
     "with NRI before 0.7 a launched plugin that fails to start keeps the runtime from serving "
     "pods, and which containers were missed is not known"},
    {"adjust-ignored", WARNING, "the runtime takes the adjustment without an error and drops it"},
    {"version-unknown", INFO, "what depends on the version is not checked"},
    {"config-not-understood", WARNING,
     "what it sets is not known; a runtime that finds the same fault does not start"},
    {"restart-needed", WARNING, "a runtime reads its configuration only when it starts"},
    {"nri-off", ERROR, "a runtime without NRI never asks a plugin"},
    {"nri-unsure", WARNING, "whether plugins are asked depends on it"},
    {"nri-connections-off", ERROR,
     "the runtime then asks only plugins that it launches itself; one from a DaemonSet or a unit "
     "cannot connect"},
    {"cri-off", ERROR,
     "pods do not come through this containerd, and NRI is asked about pods only"},
    {"socket-elsewhere", ERROR, "the plugin waits at a socket where no runtime will ever listen"},
    {"socket-missing", ERROR, "the plugin has nothing to connect to"},
    {"socket-dead", ERROR, "the plugin cannot connect: the process that made the socket is gone"},
    {"socket-not-permitted", ERROR,
     "the plugin runs without capabilities, so that owners and modes of directories bind it though "
     "it is root"},
    {"not-permitted", WARNING, "what only root may see is not checked"},
    {"plugin-dir-elsewhere", WARNING, "the runtime does not look there for plugins"},
    {"bad-plugin-name", ERROR,
     "one executable entry with another name than NN-NAME makes NRI fail to start, and with it the "
     "runtime's service for pods"},
    {"dangling-plugin", WARNING, "the runtime tries to start it, fails, and goes on without it"},
    {"plugin-not-executable", WARNING, "the runtime passes over it without a word"},
    {"backup-plugin", ERROR, "the runtime starts it as a plugin of its own, beside the other"},
    {"several-entries", WARNING,
     "each is started and asked about each container; whichever comes first decides"},
    {"several-processes", WARNING,
     "each is asked about each container; an old one may add what a new rule no longer says"},
    {"two-ways", WARNING,
     "each way brings an instance of its own, and all are asked about each container; their rules "
     "and "
     "versions drift apart"},
    {"plugin-config-unreadable", ERROR,
     "an unreadable file there makes NRI fail to start, and with it the runtime's service for "
     "pods"},
    {"plugin-config-refused", ERROR, "the plugin goes on without these settings and is not ready"},
    {"conf-dir-elsewhere", WARNING, "the runtime does not hand these settings to the plugin"},
    {"validator-rejects-hooks", ERROR, "every container that gets a hook is refused"},
    {"required-plugin-name", ERROR,
     "the validator does not find the plugin under that name, so containers are refused"},
    {"selinux-domain", ERROR,
     "a process of this domain may not connect to a socket of the runtime, whatever the file's "
     "label says"},
    {"no-rules", WARNING, "without a set in force nothing is ever added"},
    {"hook-dir-noexec", ERROR, "the kernel refuses to run a program from there"},
    {"hook-dir-missing", WARNING, "the policy allows programs there only"},
    {"hook-dir-read-only", INFO, "hook programs cannot be installed or replaced there"},
    {"oci-hooks-unread", WARNING,
     "they were written for Podman or CRI-O; containerd never reads them"},
    {"oci-hooks-twice", ERROR, "CRI-O reads them itself, so every hook runs twice"},
    {"plugin-not-running", ERROR, "nobody answers the runtime"},
    {"plugin-no-answer", WARNING, "what the process sees itself is not known"},
    {"plugin-not-connected", ERROR, "the runtime does not know the plugin, so it never asks it"},
    {"plugin-not-ready", ERROR, "containers may start without their hooks"},
    {"containers-missed", WARNING,
     "they were created while the plugin was not asked, and run without their hooks"},
    {"containers-unreadable", WARNING, "what cannot be read may have been created without hooks"},
    {"missed-unknown", WARNING, "containers may run without their hooks, and nobody says which"},
    {"settings-refused", ERROR, "what was written there last does not count"},
    {"policy-refused", ERROR,
     "what a policy that cannot be read forbids is not known, so nothing is injected"},
    {"sets-blocked", WARNING, "the running plugin does not apply these sets"},
    {"rules-refused", ERROR, "what stands in such a document is not applied"},
    {"earlier-text", WARNING, "what was written there last does not count"},
    {"last-good-not-kept", WARNING,
     "a file that turns bad keeps its rules only until the plugin is started anew"},
    {"required-set-paused", WARNING, "the setting requiredSets wants it for every container"},
    {"required-set-missing", ERROR,
     "the setting requiredSets refuses every container that would go without it"},
    {"sets-paused", WARNING, "a paused set injects, adjusts and refuses nothing on this node"},
    {"breaker-tripped", WARNING,
     "the set's hooks failed too often; it injects nothing until somebody resumes it"},
    {"pauses-not-kept", WARNING,
     "what is paused or tripped is forgotten when the plugin starts anew, or is already"},
    {"files-not-watched", WARNING, "changed rules are seen at the next rescan only"},
    {"decisions-not-recorded", ERROR,
     "which containers were missed cannot be told after a restart, nor why one got its hooks"},
    {"metrics-not-served", WARNING, "no alert can come from this node"},
    {"plugin-problem", WARNING,
     "the plugin that runs is of another version than this program, which does not know it"},
    {"run-dir-unusable", ERROR,
     "the journal, pauses and the control socket lie there; the plugin goes on without them"},
    {"journal-unusable", ERROR, "which containers were missed cannot be told after a restart"},
    {"inotify-limits", WARNING,
     "where a directory cannot be watched, changed rules are seen at the next rescan only"},
    {"docker-ignores-hooks", WARNING,
     "Docker's engine takes no hooks from NRI: containers of docker run never get any"},
    {"podman-reads-oci-hooks", INFO, "Podman has no NRI; it reads oci-hooks(5) files itself"},
};

const size_t gr_doctor_codes_n = GR_ARRAY_LEN(gr_doctor_codes);
