/*
 * session/lists.h - the words of rules/lists/, embedded at build time: names of paths, cookies,
 * fields and parameters. Names only ever weigh in; what values do decides first.
 */
#ifndef HR_SESSION_LISTS_H
#define HR_SESSION_LISTS_H

#include "base/span.h"

/* One row a file of rules/lists/: the file's name with _ for -, and how its entries compare. */
#define SESSION_LISTS(X)                                                                           \
    X(login_links, LIST_PATHS)                                                                     \
    X(login_pages, LIST_PATHS)                                                                     \
    X(login_paths, LIST_PATHS)                                                                     \
    X(logout_paths, LIST_PATHS)                                                                    \
    X(session_paths, LIST_PATHS)                                                                   \
    X(registration_paths, LIST_PATHS)                                                              \
    X(password_paths, LIST_PATHS)                                                                  \
    X(unlock_paths, LIST_PATHS)                                                                    \
    X(authorize_paths, LIST_PATHS)                                                                 \
    X(auth_words, LIST_FOLDED)                                                                     \
    X(session_names, LIST_NAMES)                                                                   \
    X(not_a_session, LIST_NAMES)                                                                   \
    X(script_cookies, LIST_NAMES)                                                                  \
    X(cookie_sets, LIST_NAMES)                                                                     \
    X(remember_me, LIST_NAMES)                                                                     \
    X(affinity_names, LIST_NAMES)                                                                  \
    X(credential_parameters, LIST_FOLDED)                                                          \
    X(password_fields, LIST_FOLDED)                                                                \
    X(new_password_fields, LIST_FOLDED)                                                            \
    X(user_fields, LIST_FOLDED)                                                                    \
    X(user_parameters, LIST_FOLDED)                                                                \
    X(code_fields, LIST_FOLDED)                                                                    \
    X(token_members, LIST_FOLDED)                                                                  \
    X(token_parameters, LIST_FOLDED)                                                               \
    X(token_headers, LIST_NAMES)                                                                   \
    X(request_ids, LIST_NAMES)                                                                     \
    X(forwarded_fields, LIST_NAMES)                                                                \
    X(passing_fields, LIST_NAMES)                                                                  \
    X(static_endings, LIST_NAMES)                                                                  \
    X(failure_phrases, LIST_PHRASES)                                                               \
    X(failure_words, LIST_NAMES)                                                                   \
    X(denial_phrases, LIST_PHRASES)                                                                \
    X(code_members, LIST_FOLDED)                                                                   \
    X(message_members, LIST_FOLDED)                                                                \
    X(identity_paths, LIST_PATHS)                                                                  \
    X(identity_members, LIST_FOLDED)                                                               \
    X(identity_names, LIST_FOLDED)                                                                 \
    X(identity_objects, LIST_FOLDED)                                                               \
    X(identity_wrappers, LIST_FOLDED)                                                              \
    X(identity_changes, LIST_FOLDED)                                                               \
    X(action_parameters, LIST_FOLDED)                                                              \
    X(page_parameters, LIST_FOLDED)                                                                \
    X(place_parameters, LIST_FOLDED)                                                               \
    X(special_namespaces, LIST_FOLDED)                                                             \
    X(greetings, LIST_PHRASES)

#define SESSION_LIST_ENUM(name, how) LIST_##name,
enum list_id { SESSION_LISTS(SESSION_LIST_ENUM) LIST_COUNT };

#define SESSION_LIST_DECLARE(name, how) extern const char *const session_list_##name[];
SESSION_LISTS(SESSION_LIST_DECLARE)

struct lists;

struct lists *lists_create(void);
void lists_destroy(struct lists *l);
/** @return 1 + the place of the first entry that matches the name, 0 where none does */
size_t lists_find(const struct lists *l, enum list_id id, struct hr_span name);
/**
 * Do the path's last segments equal an entry? Case, - and _ inside segments, an ending like .php
 * and slashes at the end do not count.
 * @param spare  as many segments may follow the entry
 */
bool lists_find_path(const struct lists *l, enum list_id id, struct hr_span path, unsigned spare);
/** Does a segment of the path, or a word of one, match an entry? */
bool lists_find_path_word(const struct lists *l, enum list_id id, struct hr_span path);
/** Does the text contain an entry, case ignored? */
bool lists_find_phrase(const struct lists *l, enum list_id id, struct hr_span text);
/** @return length of the first entry that the text begins with, case ignored; 0: with none */
size_t lists_phrase_at(const struct lists *l, enum list_id id, struct hr_span text);

#endif
