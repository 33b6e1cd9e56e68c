#include "daemon/shed.h"

#define FILL_HARD 0.75
#define FILL_CALM 0.25

void shed_policy_init(struct shed_policy *p)
{
    *p = (struct shed_policy){.hard_since = HR_NSEC_INFINITE, .calm_since = HR_NSEC_INFINITE};
}

/* The kernel drops, and it is for us: a pause of the process alone is none. */
static bool is_hard(const struct shed_load *load)
{
    return load->drops > 0 && (load->fill >= FILL_HARD || !load->was_waiting);
}

static bool is_calm(const struct shed_load *load)
{
    return load->drops == 0 && load->fill <= FILL_CALM;
}

/* @return whether it holds for so long; then the time begins anew */
static bool has_lasted(hr_nsec *since, bool holds, hr_nsec now, hr_nsec span)
{
    if (!holds) {
        *since = HR_NSEC_INFINITE;
        return false;
    }
    *since = *since == HR_NSEC_INFINITE ? now : *since;
    if (now - *since < span) {
        return false;
    }
    *since = now;
    return true;
}

unsigned shed_policy_step(struct shed_policy *p, hr_nsec now, const struct shed_load *load)
{
    if (has_lasted(&p->hard_since, is_hard(load), now, SHED_GROW_AFTER) &&
        p->share < SHED_SHARE_LIMIT) {
        p->share++;
    }
    if (has_lasted(&p->calm_since, is_calm(load), now, SHED_SHRINK_AFTER) && p->share > 0) {
        p->share--;
    }
    return p->share;
}
