"""Ways in which another site could have said the same. Each takes (traffic, rng), changes the messages and the
label alike, and returns False where it does not apply."""
from mutations.answers import (
    chunked, denials_401, denials_403, denials_page, denials_redirect, etags, gzipped, html_pages, json_keys,
    login_failure, login_success, logout_success, more_text, nested_user, no_reason, pretty_json, unchunked,
    wrapped_json)
from mutations.names import (
    field_order, host_name, location_rewritten, login_body, login_paths, logout_by_delete, logout_by_get, parameters,
    prefixed, protected_paths, target_query, user_names)
from mutations.tokens import (
    bearer, cookie_attributes, cookie_name, cookie_order, csrf_cookie, deletions, in_query, innocent_cookies, jwt,
    rolling_csrf, rolling_token, token_shape)
from mutations.wire import (
    bulk, early, fast, header_case, header_order, http10, late, one_connection_each, proxy_fields, proxy_pool,
    request_ids, slow)

# What changes text comes first, then what a server does with it, then what a proxy does.
ALL = {f.__name__: f for f in (
    cookie_name, token_shape, jwt, innocent_cookies, csrf_cookie, rolling_csrf, login_paths, protected_paths,
    parameters, field_order, login_body, logout_by_delete, logout_by_get, json_keys, wrapped_json, nested_user,
    bearer, rolling_token, in_query, pretty_json, denials_redirect, denials_401, denials_403, denials_page,
    login_success, login_failure, logout_success, user_names, host_name, cookie_attributes, deletions, html_pages,
    more_text, target_query, prefixed, location_rewritten, no_reason, etags, cookie_order, gzipped, chunked,
    unchunked, http10, proxy_fields, request_ids, header_case, header_order, one_connection_each, proxy_pool, bulk,
    slow, fast, late, early)}

# (way, part of a capture's name): why what is labelled there cannot be proven any more. It may be missed; nothing else
# may be reported.
MISSED = {
    ("jwt", "crash"): "self-contained tokens outlive a restart or not, as their key does: no amnesia",
    ("proxy_fields", "shared"): "behind a proxy that says so, networks and programs are many",
    ("proxy_pool", "shared"): "one address for everybody",
    ("proxy_pool", "crash"): "a proxy's connections are not cut by a crash behind it",
    ("bulk", "crash"): "not every connection is cut: no crash",
    ("denials_403", ""): "403 denies nobody for lack of a session",
    ("login_success", "foreign"): "answers of logins are written anew",
    ("bearer", "failedlogin"): "what a refusal gave in a cookie it does not give in its text",
    ("bearer", "timeout"): "the same",
    ("bearer", "foreign"): "answers of logins are written anew",
    ("bearer", "keepcookie"): "there is no cookie",
    ("in_query", "foreign"): "a token that only the address of a redirect gives has no user yet",
    ("in_query", "keepcookie"): "there is no cookie",
    ("late", ""): "what came before the capture may explain it",
    ("early", ""): "what came after the capture is not in it",
    ("rolling_token", ""): "each value is judged by itself, and only the first has its user from the login",
}
# The same, where the change is a symptom itself.
UNFIT = {
    ("rolling_token", "postlogout"): "an answer that is under way at the logout gives its cookie back: revived-session",
    ("late", "shared"): "another use of the session is the first that can be told",
    ("login_failure", "failedlogin"): "a right password answered 400 at times is a phantom-400",
}


def fits(name, capture):
    return not any(name == n and c in capture for n, c in UNFIT)


def may_miss(names, capture):
    return any(n in names and c in capture for n, c in MISSED)
