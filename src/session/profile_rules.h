/*
 * session/profile_rules.h - the inside of a profile, for session/ alone. A member that is empty
 * says nothing: learning decides. Texts are owned by the set.
 */
#ifndef HR_SESSION_PROFILE_RULES_H
#define HR_SESSION_PROFILE_RULES_H

#include "decode/segment.h"
#include "session/profile.h"

enum profile_where {
    PROFILE_COOKIE,
    PROFILE_COOKIES, /* several that count as one: names joined by '+' */
    PROFILE_BEARER,
    PROFILE_HEADER,
    PROFILE_QUERY,
    PROFILE_FORM,
    PROFILE_JSON, /* a member of a request's or an answer's JSON: "data.token" */
    PROFILE_USER_QUERY,
};

struct profile_place {
    enum profile_where where;
    const char *name; /* NULL for PROFILE_BEARER */
};

struct profile_endpoint {
    const char *method; /* NULL: any */
    const char *path;   /* a path or template; "*" stands for any text */
};

#define PROFILE_STATUS_LIMIT 16

struct profile_success { /* every condition that is given must hold */
    unsigned status[PROFILE_STATUS_LIMIT];
    size_t status_count;
    const char *location;   /* NULL: any; "*" stands for any text */
    const char *cookie;     /* NULL: none asked for */
    const char *json;       /* member that must be there; NULL: none asked for */
    const char *json_value; /* "true", "ok", ...; NULL: any but false and null */
};

struct profile_action { /* login, logout */
    struct profile_endpoint endpoint;
    struct profile_success success;
    bool has_success;
};

struct profile_network {
    struct net_address address;
    unsigned bits; /* of the address that count */
};

#define PROFILE_LIST(type, name)                                                                   \
    struct type *name;                                                                             \
    size_t name##_count;

struct profile {
    PROFILE_LIST(profile_endpoint, hosts) /* .path is the pattern */
    PROFILE_LIST(profile_place, session)
    PROFILE_LIST(profile_action, login)
    PROFILE_LIST(profile_action, logout)
    PROFILE_LIST(profile_place, user)
    PROFILE_LIST(profile_endpoint, is_protected)
    PROFILE_LIST(profile_endpoint, is_public)
    PROFILE_LIST(profile_endpoint, identity)   /* that tell who one is */
    PROFILE_LIST(profile_endpoint, request_id) /* .path is the name of a field */
    int one_session_per_user; /* 1 a later login ends the earlier one, -1 it does not, 0 nothing is said */
    bool self_contained_tokens;
    PROFILE_LIST(profile_network, trusted_proxies)
};

/** "*" stands for any text; case does not count. */
bool profile_host_fits(const char *pattern, struct hr_span site);
/** "*" stands for any text, "{...}" in the pattern for one segment or the same template. */
bool profile_path_fits(const char *pattern, struct hr_span path);
bool profile_endpoint_fits(const struct profile_endpoint *e, struct hr_span method,
                           struct hr_span path);
const struct profile_action *profile_action_find(const struct profile_action *actions, size_t count,
                                                 struct hr_span method, struct hr_span path);

/** Of one of the profile's proxies? */
bool profile_is_proxy(const struct profile *p, const struct net_address *address);

/** Is the session there? Without a list of places in the profile the answer is `otherwise`. */
bool profile_has_place(const struct profile *p, enum profile_where where, struct hr_span name,
                       bool otherwise);

#endif
