/*
 * scenario/scenario.h - small web traffic written down as YAML, turned into a capture. Format:
 * headrace-scenario(5), beside this file.
 */
#ifndef HR_SCENARIO_SCENARIO_H
#define HR_SCENARIO_SCENARIO_H

#include "base/yaml.h"
#include "decode/segment.h"
#include "scenario/point.h"

struct scenario;

/**
 * @param node  the mapping of a scenario
 * @param base  a mapping whose keys count where node does not have them; may be NULL
 * @param seed  in place of the scenario's own; may be NULL
 * @return 0, or -EINVAL with doc->error set. The scenario keeps nothing of doc.
 */
int scenario_parse(struct hr_yaml_doc *doc, const struct hr_yaml *node, const struct hr_yaml *base,
                   const uint64_t *seed, struct scenario **ret_scenario);
/** @param ret_error  "file:line: text" where the result is negative. @return 0 or -errno */
int scenario_load(const char *path, const uint64_t *seed, struct scenario **ret_scenario,
                  struct hr_buf *ret_error);
void scenario_destroy(struct scenario *s);

/**
 * Writes the capture.
 * @param truth       one JSON line an exchange; may be NULL
 * @param ret_counts  may be NULL
 * @return 0, or -errno where a file could not be written
 */
int scenario_write(struct scenario *s, const char *path, FILE *truth,
                   struct point_counts *ret_counts);

/* What a test needs to find an exchange again. */
struct scenario_place {
    hr_nsec request_at; /* of its first byte, as recorded by the last scenario_write() */
    struct net_endpoint client;
    struct net_endpoint server;
    const char *method;
    const char *target;
};
/** @return false where no exchange has that label */
bool scenario_find(const struct scenario *s, const char *label, struct scenario_place *ret_place);
/** @param client  address as text; may be NULL. @return the label of the exchange that began there
 * and then, or NULL */
const char *scenario_label_at(const struct scenario *s, hr_nsec at, const char *client,
                              int client_port);

#endif
