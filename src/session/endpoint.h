/*
 * session/endpoint.h - is an endpoint protected? Evidence is added up over its accesses.
 */
#ifndef HR_SESSION_ENDPOINT_H
#define HR_SESSION_ENDPOINT_H

#include "base/span.h"

/* Stored: never renumber. */
enum endpoint_protection {
    PROTECTION_UNKNOWN = 0,
    PROTECTION_PROTECTED = 1,
    PROTECTION_PUBLIC = 2,
};

struct endpoint_evidence {
    uint64_t granted_live;       /* granted to a session that a login made live (or of unknown beginning) */
    uint64_t granted_without;    /* 2xx without any token: public */
    uint64_t denied_without;     /* denied: no token, never issued, not logged in, or ended */
    uint64_t denied_other;
    uint64_t sessions_often;     /* sessions that it granted or denied at least three times */
    int declared;                /* profile_declared_protection() */
    int64_t granted_live_exchange;    /* an example of each, 0 none: the earliest */
    int64_t granted_without_exchange;
    int64_t denied_without_exchange;
};

enum endpoint_protection endpoint_judge(const struct endpoint_evidence *e);

#endif
