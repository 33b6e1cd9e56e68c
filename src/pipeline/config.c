#include "pipeline/config.h"

/* Every bound of a run, in one place. The command line can change those that cmd/ names. */
static const struct pipeline_config defaults = {
    .decode =
        {
                 .fragment_budget_bytes = 16 * 1024 * 1024,
                 .fragment_limit = 4096,
                 .fragment_timeout = 30 * HR_NSEC_PER_SEC,
                 },
    .tcp =
        {
                 .connection_limit = 200000,
                 .held_conn_bytes = 4 * 1024 * 1024,
                 .held_total_bytes = 128 * 1024 * 1024,
                 .idle_timeout = 3600 * HR_NSEC_PER_SEC,
                 .opening_timeout = 60 * HR_NSEC_PER_SEC,
                 .closed_linger = 60 * HR_NSEC_PER_SEC,
                 .hole_timeout = 5 * HR_NSEC_PER_SEC,
                 },
    .http =
        {
                 .header_bytes = 64 * 1024,
                 .field_limit = 256,
                 .content_bytes = 64 * 1024,
                 .waiting_limit = 1024,
                 .kept_bytes = 80 * 1024 * 1024,
                 },
    .extract =
        {
                 .known_token_limit = 100000,
                 .content_bytes = 64 * 1024,
                 .expansion_limit = 100,
                 },
    .clock_error = -1,
};

void pipeline_config_init(struct pipeline_config *c)
{
    *c = defaults;
}
