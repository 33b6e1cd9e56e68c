-- store/views.sql - the documented surface of rules: what a rule may rely on. Columns are added,
-- never renamed. They work in the sqlite3 shell as they do in Headrace, with no function of our own.
--
-- Conventions: times are integer nanoseconds since 1970-01-01 UTC, NULL: not seen. Booleans are 0 or 1.
-- "exchange_id" is what a finding and its evidence refer to. Two operations overlap unless one ends
-- before the other starts; a NULL end never ends before anything.
--
-- When Headrace runs a rule, temporary views of the same names restrict exchange_facts, denial_facts,
-- session_history, late_grants, flapped_denials, session_steps, endpoint_facts, often_facts, login_facts,
-- new_logins, asked_logins, asked_sessions, overlapping_logins, login_order, logout_facts, response_facts,
-- status_facts and program_facts to the sites that are to be judged, and cut_facts is found once for all rules.

-- Parameters of rules as of their last run: SELECT value FROM rule_parameters WHERE rule = ... AND name = ...
CREATE VIEW rule_parameters AS
SELECT substr(name, 11, instr(name, '.') - 11) AS rule,  -- slug
       substr(name, instr(name, '.') + 1)      AS name,
       value                                            -- text as given; a default where nothing was
FROM meta
WHERE name >= 'parameter:' AND name < 'parameter;';

-- Every exchange: a request and its final response, with what it means.
CREATE VIEW exchange_facts AS
SELECT x.id             AS exchange_id,
       x.site_id        AS site_id,
       s.name           AS site,          -- Host in lower case, or address:port
       x.endpoint_id    AS endpoint_id,   -- NULL without a request
       x.method         AS method,
       e.path           AS path,          -- template: /users/{id}
       CASE e.protection WHEN 1 THEN 'protected' WHEN 2 THEN 'public' ELSE 'unknown' END
                        AS protection,
       x.target         AS target,        -- as sent, credentials redacted
       x.host           AS host,          -- Host field where it is not the site's name
       x.version        AS version,       -- of the request: 9, 10, 11
       x.status         AS status,        -- NULL: no response
       x.request_at     AS request_at,    -- first byte of the request
       x.request_end_at AS request_end_at,
       x.response_at    AS response_at,   -- first byte of the final response
       x.response_end_at AS response_end_at,
       CASE o.role WHEN 3 THEN 'access' WHEN 4 THEN 'static' WHEN 1 THEN 'login' WHEN 2 THEN 'logout'
           ELSE 'other' END AS role,
       CASE o.outcome WHEN 3 THEN 'granted' WHEN 4 THEN 'denied' WHEN 1 THEN 'success'
           WHEN 2 THEN 'failure' WHEN 5 THEN 'error' ELSE 'none' END AS outcome,
       o.session_id     AS session_id,    -- the session that it is about; NULL none
       t.name           AS session,       -- its short name
       t.is_jwt         AS is_jwt,        -- boolean; a self-contained token
       coalesce(o.user_id, t.user_id) AS user_id,
       (SELECT u.name FROM users u WHERE u.id = coalesce(o.user_id, t.user_id)) AS user,
       coalesce(o.had_token, 0)     AS had_token,     -- boolean; the request carried a session's token
       coalesce(o.may_be_denial, 0) AS may_be_denial, -- boolean; denied for lack of a session
       coalesce(o.missing_token, 0) AS missing_token, -- boolean; a login like the successful ones, no token
       EXISTS (SELECT 1 FROM token_uses k JOIN carriers c ON c.id = k.carrier_id
               WHERE k.id BETWEEN x.id * 16 AND x.id * 16 + 15 AND c.is_session
                 AND k.flags & 2 AND k.set_id IS NOT k.sent_id)
                        AS sets_other_token, -- boolean; the response gives a session token that the
                                             -- request did not carry
       EXISTS (SELECT 1 FROM token_uses k JOIN carriers c ON c.id = k.carrier_id
               WHERE k.id BETWEEN x.id * 16 AND x.id * 16 + 15 AND c.is_session AND k.flags & 4)
                        AS deletes_token,    -- boolean; the response deletes a session's cookie
       x.location       AS location,      -- redirect target, redacted
       x.location_path  AS location_path, -- its path where it leads to the same site
       x.shape          AS shape,         -- hash of the response's status class, type and structure
       x.replica        AS replica,       -- which server process answered, as Via and the like say
       nullif(x.agent >> 1, 0) AS agent,  -- hash of the User-Agent; NULL: none was sent
       x.agent & 1      AS is_forwarded,  -- boolean; came through a proxy: the client is that proxy
       x.request_hash   AS request_hash,  -- equal where requests are: method, target, content and the fields
                                          -- that bear on the answer; NULL: no content, or not whole
       x.request_bytes  AS request_bytes, -- content as on the wire
       x.response_bytes AS response_bytes,
       (x.flags >> 1) & 1  AS has_password,      -- boolean; the request has a password
       (x.flags >> 4) & 1  AS on_login_path,     -- boolean
       (x.flags >> 5) & 1  AS on_logout_path,    -- boolean
       (x.flags >> 6) & 1  AS is_auth_callback,  -- boolean; carries what signs in by itself: a code, a SAMLResponse, a link's value
       (x.flags >> 8) & 1  AS is_static,         -- boolean; the path ends like a static file's
       (x.flags >> 11) & 1 AS shows_login_form,  -- boolean; HTML with a password input
       (x.flags >> 13) & 1 AS leads_to_login,    -- boolean; redirects to a login path
       (x.flags >> 15) & 1 AS is_cached,         -- boolean; answered from a cache
       (x.flags >> 17) & 1 AS says_failure,      -- boolean; JSON that says so, a redirect with ?error
       (x.flags >> 18) & 1 AS response_whole,    -- boolean; nothing of the response is missing, and all its fields were kept
       (x.flags >> 19) & 1 AS request_whole,     -- boolean
       (x.flags >> 20) & 1 AS is_conditional,    -- boolean; If-None-Match, If-Modified-Since
       (x.flags >> 23) & 1 AS has_code,          -- boolean; the content has a one-time code or token
       (x.flags >> 24) & 1 AS loss,              -- boolean; bytes of it are missing
       (x.flags >> 25) & 1 AS early_response,    -- boolean; answered before the request had ended
       CASE (x.flags >> 26) & 1 WHEN 1 THEN 'resynchronised' ELSE 'certain' END AS pairing,
       CASE x.state WHEN 0 THEN 'complete' WHEN 1 THEN 'no-response' WHEN 2 THEN 'request-truncated'
           WHEN 3 THEN 'response-truncated' WHEN 4 THEN 'gap' WHEN 5 THEN 'aborted-by-client'
           ELSE 'aborted-by-server' END AS state,
       x.stream_id      AS stream_id,
       c.stream         AS stream,        -- tcp.stream of its capture
       c.capture_id     AS capture_id,
       c.client         AS client,        -- IP address
       c.client_port    AS client_port,
       c.client_network AS client_network, -- 198.51.100.0/24, 2001:db8:1:2::/64
       c.server         AS server,
       c.server_port    AS server_port
FROM exchanges x
JOIN sites s ON s.id = x.site_id
JOIN streams c ON c.id = x.stream_id
LEFT JOIN endpoints e ON e.id = x.endpoint_id
LEFT JOIN operations o ON o.id = x.id * 8
LEFT JOIN sessions t ON t.id = o.session_id;

-- Every exchange that was denied: quick to find by its endpoint.
CREATE VIEW denial_facts AS
SELECT x.id             AS exchange_id,
       x.site_id        AS site_id,
       o.endpoint_id    AS endpoint_id,
       x.target         AS target         -- as in exchange_facts
FROM operations o
JOIN exchanges x ON x.id = o.id >> 3
WHERE o.outcome = 4 AND o.id & 7 = 0;

-- What the exchanges did to each session. An exchange has one row for each session it concerns.
-- ended_by_id and granted_*_id hold whatever the endpoint is: whether that is wrong also depends
-- on protection, session_order and the doubts.
CREATE VIEW session_history AS
SELECT o.session_id     AS session_id,
       t.name           AS session,       -- short name
       x.site_id        AS site_id,
       o.id             AS operation_id,
       x.id             AS exchange_id,
       CASE o.kind WHEN 5 THEN 'granted' WHEN 6 THEN 'denied' WHEN 1 THEN 'login' WHEN 7 THEN 'logout'
           WHEN 3 THEN 'issued' WHEN 4 THEN 'refresh' WHEN 2 THEN 'possible login'
           WHEN 10 THEN 'possible login' WHEN 11 THEN 'possible login'
           WHEN 8 THEN 'possible logout' WHEN 9 THEN 'replaced' ELSE 'none' END AS kind, -- the usual ones first
       o.kind = 7       AS is_logout,     -- boolean; quicker to look for than the kind 'logout'
       o.start_at       AS start_at,      -- the server decided in [start_at, end_at]
       o.end_at         AS end_at,        -- NULL: no response
       o.issues         AS issues,        -- boolean; gave the token for the first time
       o.understood     AS understood,    -- boolean; 0: a possible login that is only not understood
       x.endpoint_id    AS endpoint_id,
       x.method         AS method,
       e.path           AS path,          -- template
       CASE e.protection WHEN 1 THEN 'protected' WHEN 2 THEN 'public' ELSE 'unknown' END
                        AS protection,
       x.status         AS status,
       x.replica        AS replica,
       (x.flags >> 15) & 1 AS is_cached,  -- boolean; answered from a cache
       (x.flags >> 8) & 1  AS is_static,  -- boolean; the path ends like a static file's
       (x.flags >> 24) & 1 AS loss,       -- boolean; bytes of the exchange are missing
       (x.flags >> 26) & 1 AS is_resynchronised, -- boolean; the pairing is not certain
       nullif(x.agent >> 1, 0) AS agent,  -- hash of the User-Agent; NULL: none was sent
       x.agent & 1      AS is_forwarded,  -- boolean; came through a proxy: the client is that proxy
       x.stream_id      AS stream_id,
       w.client         AS client,        -- IP address
       w.client_network AS client_network, -- 198.51.100.0/24, 2001:db8:1:2::/64
       w.server         AS server,        -- IP address, as in loss_facts
       w.server_port    AS server_port,
       EXISTS (SELECT 1 FROM token_uses k JOIN carriers c ON c.id = k.carrier_id
               WHERE k.id BETWEEN x.id * 16 AND x.id * 16 + 15 AND c.is_session
                 AND k.flags & 2 AND k.set_id IS NOT k.sent_id)
                        AS sets_other_token, -- boolean; the response gives a session token that the
                                             -- request did not carry: remember-me, rotation
       CASE WHEN NOT EXISTS (SELECT 1 FROM operations r
                             WHERE r.id BETWEEN x.id * 8 AND x.id * 8 + 7 AND r.kind = 11) THEN 0
            WHEN (SELECT 1 FROM operations g -- the nearest one: few steps back where many rotate
                  JOIN operations r ON r.id BETWEEN (g.id >> 3) * 8 AND (g.id >> 3) * 8 + 7
                  WHERE g.session_id = o.session_id AND g.kind = 5 AND g.start_at < o.start_at
                    AND r.kind = 11
                  ORDER BY g.start_at DESC LIMIT 1) THEN 1
            ELSE EXISTS (SELECT 1 FROM operations i WHERE i.session_id = o.session_id AND i.kind = 11) END
                        AS rotates,       -- boolean; the response gives the next value of a rolling token, as
                                          -- others of this session did: no remember-me
       o.ended_by_id    AS ended_by_id,   -- operation_id: of a grant, the acknowledged logout before it
                                          -- with no login that could fit between; of a replaced value of a
                                          -- rolling token also the logout of a later one
       o.granted_before_id AS granted_before_id, -- operation_id: of a denial, the grant before it ...
       o.granted_after_id  AS granted_after_id,  -- ... and the one after it on the same endpoint, no login
                                          -- between the latter, no logout among the three
       coalesce(o.doubts, 0) & 1        AS clock_doubt,   -- boolean; that holds only with exact clocks
       (coalesce(o.doubts, 0) >> 1) & 1 AS login_doubt,   -- boolean; that holds only if an exchange that is not
                                          -- understood was no login
       o.doubt_operation_id AS doubt_operation_id, -- operation_id of that exchange
       CASE t.order_state WHEN 1 THEN 'explained' WHEN 2 THEN 'contradicted' WHEN 3 THEN 'weak'
           WHEN 4 THEN 'unknown' ELSE 'not checked' END AS session_order,
                                          -- weak: contradicted, but for a login before the capture;
                                          -- unknown: too many overlapping logins to tell
       t.witness_operation_id AS witness_operation_id, -- at which no order was left; NULL none
       t.is_jwt         AS is_jwt,        -- boolean; a self-contained token
       t.user_id        AS user_id,       -- bound by its first login; NULL none
       (SELECT u.name FROM users u WHERE u.id = t.user_id) AS user,
       x.target         AS target,        -- as in exchange_facts
       x.request_hash   AS request_hash   -- as in exchange_facts
FROM operations o
JOIN exchanges x ON x.id = o.id >> 3 AND o.id BETWEEN x.id * 8 AND x.id * 8 + 7
LEFT JOIN streams w ON w.id = x.stream_id -- there is one; not looked for where it is not asked for
JOIN sessions t ON t.id = o.session_id
LEFT JOIN endpoints e ON e.id = x.endpoint_id;

-- Of it the grants that began after an acknowledged logout, and the denials between two grants. In a glance of a
-- watch, which judges only what came in, these two hold only the sessions that it touches.
CREATE VIEW late_grants AS
SELECT * FROM session_history WHERE ended_by_id IS NOT NULL AND kind = 'granted';
CREATE VIEW flapped_denials AS
SELECT * FROM session_history WHERE granted_before_id IS NOT NULL AND kind = 'denied';

-- The same without what exchanges and endpoints say: quick to count.
CREATE VIEW session_steps AS
SELECT o.session_id     AS session_id,
       k.site_id        AS site_id,
       o.id             AS operation_id,
       o.id >> 3        AS exchange_id,
       CASE o.kind WHEN 5 THEN 'granted' WHEN 6 THEN 'denied' WHEN 1 THEN 'login' WHEN 7 THEN 'logout'
           WHEN 3 THEN 'issued' WHEN 4 THEN 'refresh' WHEN 2 THEN 'possible login'
           WHEN 10 THEN 'possible login' WHEN 11 THEN 'possible login'
           WHEN 8 THEN 'possible logout' WHEN 9 THEN 'replaced' ELSE 'none' END AS kind, -- the usual ones first
       o.kind IN (5, 6) AS is_access,     -- boolean; granted or denied: quicker to ask for
       o.kind = 11      AS is_rotation,   -- boolean; a possible login that gives the next value of a rolling
                                          -- token: there may be none in all the database
       o.kind IN (1, 2, 3, 10, 11) AS may_begin, -- boolean; a login, a possible login or an issue
       o.kind = 7       AS is_logout,     -- boolean; quicker to look for than the kind 'logout'
       nullif(o.agent >> 1, 0) AS agent,  -- hash of the User-Agent; NULL: none was sent
       o.agent & 1      AS is_forwarded,  -- boolean; came through a proxy
       o.start_at       AS start_at,
       o.end_at         AS end_at,
       o.endpoint_id    AS endpoint_id,
       o.ended_by_id    AS ended_by_id    -- as in session_history
FROM operations o
JOIN sessions t ON t.id = o.session_id
JOIN carriers k ON k.id = t.carrier_id;

-- Every endpoint: a method and a path template of a site.
CREATE VIEW endpoint_facts AS
SELECT e.id             AS endpoint_id,
       e.site_id        AS site_id,
       s.name           AS site,
       e.method         AS method,
       e.path           AS path,          -- template: /users/{id}
       CASE e.protection WHEN 1 THEN 'protected' WHEN 2 THEN 'public' ELSE 'unknown' END
                        AS protection,
       e.sessions_often AS sessions_often -- sessions that it granted or denied at least three times, as of
                                          -- the last analysis
FROM endpoints e
JOIN sites s ON s.id = e.site_id;

-- Sessions that an endpoint granted or denied something for the third time, as of the last analysis.
CREATE VIEW often_facts AS
SELECT e.site_id        AS site_id,
       q.endpoint_id    AS endpoint_id,
       e.method         AS method,
       e.path           AS path,          -- template
       CASE e.protection WHEN 1 THEN 'protected' WHEN 2 THEN 'public' ELSE 'unknown' END
                        AS protection,
       q.quarter        AS quarter,       -- quarter hours since 1970-01-01 UTC, by that request
       q.sessions       AS sessions       -- how many
FROM endpoint_often q
JOIN endpoints e ON e.id = q.endpoint_id;

-- Every login, without what only few are asked for. Rules read login_facts.
CREATE VIEW login_core AS
SELECT x.id             AS exchange_id,
       x.site_id        AS site_id,
       s.name           AS site,
       x.endpoint_id    AS endpoint_id,
       x.method         AS method,
       e.path           AS path,          -- template
       x.status         AS status,
       x.location       AS location,      -- redirect target
       x.location_path  AS location_path, -- its path template where it leads to the same site
       x.shape          AS shape,         -- hash of the response's status class, type and structure
       CASE o.outcome WHEN 1 THEN 'success' WHEN 2 THEN 'failure' WHEN 5 THEN 'error' ELSE 'none' END
                        AS outcome,
       o.user_id        AS user_id,
       x.request_at     AS start_at,      -- first byte of the request
       x.response_end_at AS end_at,       -- last byte of the response
       o.missing_token  AS missing_token, -- boolean; like the successful ones, but without a token
       o.had_token      AS had_token,     -- boolean; the request carried a session's token
       (SELECT l.session_id FROM operations l
        WHERE l.id BETWEEN o.id AND o.id + 7 AND l.kind = 1 ORDER BY l.id LIMIT 1)
                        AS session_id,    -- that it made live; NULL none. A login may yield several
                                          -- tokens: session_history has all
       CASE WHEN EXISTS (SELECT 1 FROM operations l
                         WHERE l.id BETWEEN o.id + 1 AND o.id + 7 AND l.kind = 1)
            THEN (SELECT a.id FROM operations l -- of several sessions: looked for once for each
                  CROSS JOIN operations a ON a.id =
                      (SELECT g.id FROM operations g LEFT JOIN endpoints p ON p.id = g.endpoint_id
                       WHERE g.session_id = l.session_id AND g.kind IN (5, 6)
                         AND g.start_at > x.response_end_at AND coalesce(p.protection, 0) != 2
                       ORDER BY g.start_at, g.kind, g.end_at LIMIT 1)
                  WHERE l.id BETWEEN o.id AND o.id + 7 AND l.kind = 1
                  ORDER BY a.start_at, a.id LIMIT 1)
            WHEN o.kind = 1
            THEN (SELECT g.id FROM operations g LEFT JOIN endpoints p ON p.id = g.endpoint_id
                  WHERE g.session_id = o.session_id AND g.kind IN (5, 6)
                    AND g.start_at > x.response_end_at AND coalesce(p.protection, 0) != 2
                  ORDER BY g.start_at, g.kind, g.end_at LIMIT 1)
       END              AS first_access_id, -- operation_id: the first granted or denied access that began
                                            -- after it ended; NULL none
       (x.flags >> 18) & 1 AS response_whole, -- boolean; nothing of the answer is missing, and all its fields were kept
       (x.flags >> 24) & 1 AS loss,           -- boolean; bytes of the exchange are missing
       (x.flags >> 26) & 1 AS is_resynchronised, -- boolean; the pairing is not certain
       x.state = 0      AS is_complete,   -- boolean; both messages are whole
       x.stream_id      AS stream_id
FROM operations o
JOIN exchanges x ON x.id = o.id >> 3 AND o.id = x.id * 8
JOIN sites s ON s.id = x.site_id
LEFT JOIN endpoints e ON e.id = x.endpoint_id
WHERE o.role = 1;

-- Every login, whatever its outcome.
CREATE VIEW login_facts AS
SELECT f.*,
       (SELECT u.name FROM users u WHERE u.id = f.user_id) AS user,
       (SELECT k.sent_id FROM token_uses k JOIN carriers c ON c.id = k.carrier_id
        WHERE k.id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15 AND c.is_session
          AND k.sent_id IS NOT NULL
        ORDER BY k.id LIMIT 1) AS carried_session_id, -- session whose token the request carried
       (SELECT max(k.lifetime_s) FROM token_uses k JOIN carriers c ON c.id = k.carrier_id
        WHERE k.id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15 AND c.is_session
          AND k.flags & 2) AS lifetime_s, -- seconds that the answer declares: Max-Age, Expires, expires_in
       (SELECT count(*) FROM operations l JOIN operations g ON g.session_id = l.session_id
        LEFT JOIN endpoints p ON p.id = g.endpoint_id
        WHERE l.id BETWEEN f.exchange_id * 8 AND f.exchange_id * 8 + 7 AND l.kind = 1 AND g.kind = 5
          AND coalesce(p.protection, 0) != 2) AS grants, -- of these sessions, public pages apart, at any time
       (SELECT count(*) FROM operations l JOIN operations g ON g.session_id = l.session_id
        WHERE l.id BETWEEN f.exchange_id * 8 AND f.exchange_id * 8 + 7 AND l.kind = 1 AND g.kind = 6) AS denials
FROM login_core f;

-- Of them those that came in: in a glance of a watch the new ones, else every one.
CREATE VIEW new_logins AS
SELECT * FROM login_core;

-- What a glance of a watch is about: one row, and in a whole run none.
CREATE VIEW glance_facts AS
SELECT 0                AS since_id,      -- exchange_id: it and the ones behind it came in
       0                AS recent_id      -- exchange_id: some thousands before. What a rule concludes from these
                                          -- alone must hold as if the capture began there
WHERE 0;

-- Every session; in such a glance those that what came in touches. A finding of another session, or of an exchange
-- that was there before, is not taken then.
CREATE VIEW asked_sessions AS
SELECT t.id             AS session_id,
       c.site_id        AS site_id
FROM sessions t
JOIN carriers c ON c.id = t.carrier_id;

-- Every mark: in such a glance those that the rule's third SELECT yields, where it has one.
CREATE VIEW asked_marks AS
SELECT m.exchange_id    AS exchange_id,
       m.kind           AS kind,
       m.value          AS value
FROM marks m;

-- Every login; in such a glance the new ones and those of these sessions.
CREATE VIEW asked_logins AS
SELECT * FROM login_core;

-- The logins of a site that others overlap; a sort over all of them, so join it by exchange_id.
CREATE VIEW overlapping_logins AS
SELECT exchange_id, site_id
FROM (SELECT exchange_id, site_id, start_at, coalesce(end_at, 9223372036854775807) AS end_at,
             max(coalesce(end_at, 9223372036854775807)) OVER before AS earlier_end_at,
             lead(start_at) OVER (PARTITION BY site_id ORDER BY start_at, exchange_id) AS next_at
      FROM login_core
      WINDOW before AS (PARTITION BY site_id ORDER BY start_at, exchange_id
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
WHERE coalesce(earlier_end_at >= start_at, 0) OR coalesce(next_at <= end_at, 0);

-- How the logins of a site lie in time; a sort over all of them, so join it by exchange_id. A login that
-- failed is none of its user's.
CREATE VIEW login_order AS
SELECT exchange_id,
       site_id,
       coalesce(earlier_end_at >= start_at, 0) OR coalesce(next_at <= end_at, 0)
                        AS overlaps,      -- boolean; another login of the site was going on meanwhile
       user_id IS NOT NULL AND (coalesce(user_earlier_end_at >= start_at, 0)
                                OR coalesce(user_next_at <= end_at, 0))
                        AS overlaps_user, -- boolean; another login of the same user was going on meanwhile
       CASE WHEN user_id IS NOT NULL THEN user_next_at END
                        AS user_next_at,  -- start of the next login that names the same user; NULL none
       CASE WHEN user_id IS NOT NULL THEN user_next_end_at END
                        AS user_next_end_at, -- its end; NULL: no response
       CASE WHEN user_id IS NOT NULL THEN user_next_session_id END
                        AS user_next_session_id -- the session that it made live; NULL none
FROM (SELECT exchange_id, site_id, user_id, start_at, end_at,
             max(end_at) OVER before AS earlier_end_at,
             lead(start_at) OVER (PARTITION BY site_id ORDER BY start_at, exchange_id) AS next_at,
             max(end_at) OVER user_before AS user_earlier_end_at,
             lead(start_at) OVER by_user AS user_next_at,
             lead(answered_at) OVER by_user AS user_next_end_at,
             lead(session_id) OVER by_user AS user_next_session_id
      FROM (SELECT x.id AS exchange_id, x.site_id AS site_id, x.request_at AS start_at,
                   x.response_end_at AS answered_at,
                   coalesce(x.response_end_at, 9223372036854775807) AS end_at,
                   CASE WHEN o.outcome != 2 THEN o.user_id END AS user_id,
                   (SELECT l.session_id FROM operations l
                    WHERE l.id BETWEEN o.id AND o.id + 7 AND l.kind = 1 ORDER BY l.id LIMIT 1)
                       AS session_id
            FROM operations o
            JOIN exchanges x ON x.id = o.id >> 3
            WHERE o.role = 1)
      WINDOW before AS (PARTITION BY site_id ORDER BY start_at, exchange_id
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
             by_user AS (PARTITION BY site_id, user_id ORDER BY start_at, exchange_id),
             user_before AS (PARTITION BY site_id, user_id ORDER BY start_at, exchange_id
                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING));

-- What the profile says of a site besides.
CREATE VIEW policy_facts AS
SELECT site_id,
       value AS policy -- one session per user, several sessions per user
FROM decisions
WHERE what = 'policy';

-- Every logout, acknowledged or not, of a session whose user is known.
CREATE VIEW logout_facts AS
SELECT x.id             AS exchange_id,
       x.site_id        AS site_id,
       o.session_id     AS session_id,
       t.user_id        AS user_id,
       x.request_at     AS start_at,      -- first byte of the request
       x.response_end_at AS end_at        -- last byte of the response; NULL: no response
FROM operations o
JOIN exchanges x ON x.id = o.id >> 3
JOIN sessions t ON t.id = o.session_id
WHERE o.role = 2 AND t.user_id IS NOT NULL;

-- Every session token that a request carried or an answer gave or deleted. Those of one exchange lie at
-- token_id BETWEEN exchange_id * 16 AND exchange_id * 16 + 15: join by that, it is quick.
CREATE VIEW token_facts AS
SELECT k.id             AS token_id,
       k.exchange_id    AS exchange_id,
       c.site_id        AS site_id,
       CASE c.kind WHEN 1 THEN 'cookie' WHEN 2 THEN 'bearer' WHEN 3 THEN 'header' WHEN 4 THEN 'query'
           WHEN 5 THEN 'form' WHEN 6 THEN 'json' WHEN 7 THEN 'path' ELSE 'user' END
                        AS carrier,       -- where it travels; user: a plain user name in the query
       c.name           AS name,          -- of the cookie, field or parameter
       k.sent_id        AS sent_session_id, -- session whose token the request carried; NULL none
       k.set_id         AS set_session_id,  -- session whose token the answer gave; NULL none
       k.set_id IS NOT NULL AND k.set_id IS NOT k.sent_id
                        AS is_new,        -- boolean; the answer gave one that the request did not carry
       (k.flags >> 2) & 1 AS is_deleted,  -- boolean; the answer deletes the cookie
       (k.flags >> 3) & 1 AS in_body,     -- boolean; it was given in the answer's content
       k.lifetime_s     AS lifetime_s     -- seconds that the answer declares for it; NULL: not said
FROM token_uses k
CROSS JOIN carriers c ON c.id = k.carrier_id -- never the carriers first: no index leads from them
WHERE c.is_session;

-- What came with a request and opens a session by itself: remember-me.
CREATE VIEW opener_facts AS
SELECT k.id             AS token_id,      -- as in token_facts: exchange_id * 16 and more
       k.exchange_id    AS exchange_id,
       c.site_id        AS site_id,
       c.name           AS name           -- of the cookie
FROM token_uses k
CROSS JOIN carriers c ON c.id = k.carrier_id -- never the carriers first: no index leads from them
WHERE c.opens AND k.sent_id IS NOT NULL;

-- Sessions that several programs (User-Agents) used without a proxy between.
CREATE VIEW program_facts AS
SELECT t.id             AS session_id,
       c.site_id        AS site_id,
       (SELECT min(o.start_at) FROM operations o
        WHERE o.session_id = t.id AND o.kind = 5 AND o.agent & 1 = 0 AND o.agent != 0
          AND o.agent != (SELECT p.agent FROM operations p
                          WHERE p.session_id = t.id AND p.kind = 5 AND p.agent & 1 = 0 AND p.agent != 0
                          ORDER BY p.start_at, p.id LIMIT 1))
                        AS shared_at      -- start of the first grant to a second one
FROM sessions t
JOIN carriers c ON c.id = t.carrier_id
WHERE t.has_programs;

-- The hash of each session's token, as marks write it; one of all sessions takes as long as they are many.
CREATE VIEW token_digests AS
SELECT t.id             AS session_id,
       c.site_id        AS site_id,
       c.name           AS name,          -- of the cookie, field or parameter
       '~' || lower(hex(substr(t.hash, 1, 8))) AS digest
FROM sessions t
JOIN carriers c ON c.id = t.carrier_id
WHERE c.is_session;

-- What few exchanges have. Those of one exchange lie at mark_id BETWEEN exchange_id * 32 AND
-- exchange_id * 32 + 31. Not limited to the sites that are to be judged: join exchange_facts for that.
CREATE VIEW mark_facts AS
SELECT m.id             AS mark_id,
       m.exchange_id    AS exchange_id,
       m.kind           AS kind,          -- number, quick to look for: see session/facts.h mark_kind
       m.value          AS value,         -- the beginning of a keyed hash, or a number; NULL none
       m.text           AS text           -- NULL none
FROM marks m;

-- Every response, alone.
CREATE VIEW response_facts AS
SELECT x.id             AS exchange_id,
       x.site_id        AS site_id,
       x.endpoint_id    AS endpoint_id,   -- NULL: its request was not captured
       x.method         AS method,
       x.status         AS status,
       x.response_at    AS start_at,      -- first byte
       x.response_end_at AS end_at,       -- last byte
       x.response_bytes AS bytes,         -- content as on the wire
       x.request_hash   AS request_hash,  -- equal where its request is, as in exchange_facts
       x.shape          AS shape,         -- hash of status class, type and structure
       x.location       AS location,      -- redacted
       x.replica        AS replica,
       (x.flags >> 9) & 1  AS is_html,
       (x.flags >> 10) & 1 AS is_json,
       (x.flags >> 15) & 1 AS is_cached,         -- boolean; Age, X-Cache: HIT and the like
       (x.flags >> 16) & 1 AS has_token_in_body, -- boolean; a token-like member in a JSON answer
       (x.flags >> 18) & 1 AS is_whole,          -- boolean; nothing is missing
       (x.flags >> 28) & 1 AS sets_cookie,       -- boolean; any Set-Cookie at all
       (SELECT count(*) FROM token_uses k JOIN carriers c ON c.id = k.carrier_id
        WHERE k.id BETWEEN x.id * 16 AND x.id * 16 + 15 AND c.is_session AND k.flags & 2)
                        AS session_tokens,       -- how many tokens of sessions it gives
       x.stream_id      AS stream_id
FROM exchanges x
WHERE x.status IS NOT NULL;

-- Every exchange that did not come to its end, and every response without its request.
CREATE VIEW broken_facts AS
SELECT x.id             AS exchange_id,
       x.site_id        AS site_id,
       o.session_id     AS session_id,    -- NULL none
       x.method         AS method,        -- NULL: no request
       e.path           AS path,          -- template
       x.status         AS status,        -- NULL: no response
       CASE o.role WHEN 1 THEN 'login' WHEN 2 THEN 'logout' WHEN 3 THEN 'access' WHEN 4 THEN 'static'
           ELSE 'other' END AS role,
       CASE x.state WHEN 0 THEN 'complete' WHEN 1 THEN 'no-response' WHEN 2 THEN 'request-truncated'
           WHEN 3 THEN 'response-truncated' WHEN 4 THEN 'gap' WHEN 5 THEN 'aborted-by-client'
           ELSE 'aborted-by-server' END AS state, -- aborted by whose FIN or RST came first
       x.request_at     AS request_at,    -- first byte
       x.request_end_at AS request_end_at,
       x.response_at    AS response_at,
       x.response_end_at AS response_end_at,
       x.response_bytes AS response_bytes, -- content that was seen, as on the wire
       (x.flags >> 18) & 1 AS response_whole, -- boolean; nothing of the response is missing, and all its fields were kept
       (x.flags >> 19) & 1 AS request_whole,  -- boolean
       (x.flags >> 24) & 1 AS loss,           -- boolean; the capture lost bytes of it
       (x.flags >> 26) & 1 AS is_resynchronised, -- boolean; the pairing is not certain
       x.stream_id      AS stream_id,
       c.server         AS server,        -- IP address
       c.server_port    AS server_port
FROM exchanges x
LEFT JOIN streams c ON c.id = x.stream_id
LEFT JOIN endpoints e ON e.id = x.endpoint_id
LEFT JOIN operations o ON o.id = x.id * 8
WHERE x.state != 0 OR x.method IS NULL;

-- The heat map: how often an endpoint answered what. Quick to sum up, where a rule counts its occasions.
CREATE VIEW status_facts AS
SELECT e.site_id        AS site_id,
       q.endpoint_id    AS endpoint_id,
       e.method         AS method,
       e.path           AS path,          -- template
       q.quarter        AS quarter,       -- quarter hours since 1970-01-01 UTC, by the request
       nullif(q.status, 0) AS status,     -- NULL: no response
       q.exchanges      AS exchanges      -- how many
FROM endpoint_status q
JOIN endpoints e ON e.id = q.endpoint_id;

-- Every TCP connection that carried an exchange or lost something, and those on which nobody said anything
-- until the server closed them.
CREATE VIEW stream_facts AS
SELECT c.id             AS stream_id,
       c.capture_id     AS capture_id,
       p.path           AS capture,       -- path as given
       p.clock_doubt    AS clock_doubt,   -- ns; how far the times of that file are in doubt
       c.stream         AS stream,        -- tcp.stream
       c.client         AS client,
       c.client_port    AS client_port,
       c.client_network AS client_network, -- 198.51.100.0/24, 2001:db8:1:2::/64
       c.server         AS server,
       c.server_port    AS server_port,
       c.first_at       AS first_at,
       c.last_at        AS last_at,
       c.is_midstream   AS is_midstream,  -- boolean; its beginning was not captured
       CASE c.end WHEN 0 THEN 'open' WHEN 1 THEN 'fin' WHEN 2 THEN 'rst' WHEN 3 THEN 'timeout'
           WHEN 4 THEN 'evicted' ELSE 'reused' END AS end,
       c.client_bytes   AS client_bytes,
       c.server_bytes   AS server_bytes,
       c.client_gap_bytes AS client_gap_bytes, -- bytes of the client that are missing
       c.server_gap_bytes AS server_gap_bytes,
       c.client_fin_at  AS client_fin_at, -- NULL none
       c.server_fin_at  AS server_fin_at,
       c.client_rst_at  AS client_rst_at,
       c.server_rst_at  AS server_rst_at
FROM streams c
JOIN captures p ON p.id = c.capture_id;

-- Connection attempts that a server refused: RST in answer to a SYN. One row for each tenth of a second.
CREATE VIEW refusal_facts AS
SELECT r.server         AS server,        -- IP address
       r.server_port    AS server_port,
       r.first_at       AS first_at,      -- of the first one in that tenth of a second
       r.last_at        AS last_at,       -- of the last one
       r.attempts       AS attempts       -- how many
FROM refusals r;

-- Every request that was open when all connections of its server were cut and the server then refused
-- connections: a process that ended. Requests of one cut have the same server, server_port and cut_at. Not
-- limited to the sites that are to be judged. Nothing here where no server refused anything.
--
-- A request is cut off where the server's FIN or RST is the first end of its connection and comes before
-- the answer, or before the answer's end. Cut-off requests within a quarter of a second are one moment,
-- unless the server answers something in between. A moment is a cut if
--   - at least one of its requests was open for longer than the quickest answer of that server takes: one
--     that is younger may have crossed the close of an idle connection;
--   - the server closed two or more connections then;
--   - none of the connections that were open lived on: no answer on them later, no close of its own later;
--   - the server refused a connection before it accepted the next one, and refused none while it served others.
CREATE VIEW cut_facts AS
WITH rows AS MATERIALIZED ( -- connections of servers that refused something
    SELECT s.id AS stream_id, s.client AS client, s.client_port AS client_port, s.server AS server,
           s.server_port AS server_port, s.first_at AS first_at, s.last_at AS last_at, p.clock_doubt AS clock_doubt,
           s.server_fin_at AS fin_at, s.server_rst_at AS rst_at,
           min(coalesce(s.client_fin_at, s.client_rst_at), coalesce(s.client_rst_at, s.client_fin_at)) AS left_at,
           s.client_gap_bytes + s.server_gap_bytes AS gap_bytes
    FROM streams s
    JOIN captures p ON p.id = s.capture_id
    WHERE (s.server, s.server_port) IN (SELECT server, server_port FROM refusals)
),
ends AS ( -- where captures cross or part one connection, it has several rows
    SELECT s.stream_id, s.client, s.client_port, s.server, s.server_port, min(o.first_at) AS first_at,
           max(o.last_at) AS last_at, max(o.clock_doubt) AS clock_doubt, min(o.fin_at) AS fin_at, min(o.rst_at) AS rst_at,
           min(o.left_at) AS left_at, s.gap_bytes, coalesce(s.fin_at, s.rst_at) IS NOT NULL AS ends_here
    FROM rows s
    JOIN rows o ON o.client = s.client AND o.client_port = s.client_port AND o.server = s.server
     AND o.server_port = s.server_port AND o.first_at <= s.last_at + 1000000000 AND o.last_at >= s.first_at - 1000000000
    GROUP BY s.stream_id
),
conns AS MATERIALIZED (
    SELECT ends.*, min(coalesce(fin_at, rst_at), coalesce(rst_at, fin_at)) AS closed_at,
           fin_at IS NOT NULL AND coalesce(fin_at <= rst_at, 1) AS by_fin
    FROM ends
),
seen AS MATERIALIZED ( -- their exchanges
    SELECT x.id AS exchange_id, x.site_id AS site_id, x.stream_id AS stream_id, x.request_at AS request_at,
           x.request_end_at AS request_end_at, x.response_at AS response_at, x.response_end_at AS response_end_at,
           x.status AS status, x.method AS method, x.state AS state, x.flags AS flags
    FROM exchanges x
    WHERE EXISTS (SELECT 1 FROM conns) AND x.stream_id IN (SELECT stream_id FROM conns)
),
answered AS MATERIALIZED (
    SELECT c.*, a.last_answer_at, a.last_end_at, a.quickest
    FROM conns c
    LEFT JOIN (SELECT stream_id, max(response_at) AS last_answer_at,
                      max(coalesce(response_end_at, response_at)) AS last_end_at,
                      min(CASE WHEN response_at >= request_end_at THEN response_at - request_end_at END) AS quickest
               FROM seen WHERE response_at IS NOT NULL GROUP BY stream_id) a ON a.stream_id = c.stream_id
),
broken AS MATERIALIZED (
    SELECT x.*, c.server, c.server_port, c.first_at, c.closed_at, c.clock_doubt, c.gap_bytes
    FROM seen x
    JOIN conns c ON c.stream_id = x.stream_id
    WHERE x.method IS NOT NULL AND NOT x.flags & (1 << 24) AND c.ends_here
      AND c.closed_at > x.request_at AND coalesce(c.left_at >= c.closed_at, 1)
      AND ((x.state IN (1, 2, 6) AND x.status IS NULL) OR x.state = 3)
),
-- In order of time: when a server began to answer, when it cut something off.
timeline AS (
    SELECT c.server AS server, c.server_port AS server_port, x.response_at AS at, 0 AS exchange_id
    FROM seen x JOIN conns c ON c.stream_id = x.stream_id
    WHERE x.response_at IS NOT NULL AND EXISTS (SELECT 1 FROM broken)
    UNION ALL
    SELECT server, server_port, closed_at, exchange_id FROM broken
),
neighbours AS (
    SELECT timeline.*,
           max(CASE WHEN exchange_id != 0 THEN at END) OVER earlier AS cut_before_at,
           max(CASE WHEN exchange_id = 0 THEN at END) OVER earlier AS answer_before_at
    FROM timeline
    WINDOW earlier AS (PARTITION BY server, server_port ORDER BY at, exchange_id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
moments AS (
    SELECT server, server_port, at, exchange_id,
           sum(coalesce(at - cut_before_at > 250000000 OR answer_before_at > cut_before_at + 10000000, 1))
               OVER (PARTITION BY server, server_port ORDER BY at, exchange_id ROWS UNBOUNDED PRECEDING) AS number
    FROM neighbours
    WHERE exchange_id != 0
),
quickest AS (
    SELECT server, server_port, min(quickest) AS quickest FROM answered GROUP BY server, server_port
),
cut AS MATERIALIZED (
    SELECT m.server, m.server_port, m.number, min(m.at) AS cut_at, max(m.at) AS cut_end_at,
           max(b.clock_doubt) AS clock_doubt, max(b.gap_bytes > 0) AS gap_doubt
    FROM moments m
    JOIN broken b ON b.exchange_id = m.exchange_id
    JOIN quickest q ON q.server = m.server AND q.server_port = m.server_port
    GROUP BY m.server, m.server_port, m.number
    HAVING max(b.state = 3 OR b.closed_at - coalesce(b.request_end_at, b.request_at) >= coalesce(q.quickest, 0))
),
-- The server accepted a connection again, and answered on it.
again AS MATERIALIZED (
    SELECT c.*,
           (SELECT min(a.first_at) FROM answered a
            WHERE a.server = c.server AND a.server_port = c.server_port AND a.first_at > c.cut_end_at
              AND a.last_answer_at IS NOT NULL) AS accepted_at
    FROM cut c
),
refused AS MATERIALIZED (
    SELECT a.*, min(r.first_at) AS refused_at, sum(r.attempts) AS refusals
    FROM again a
    JOIN refusals r ON r.server = a.server AND r.server_port = a.server_port
    WHERE r.last_at >= a.cut_at - 100000000 AND r.first_at < coalesce(a.accepted_at, 9223372036854775807)
    GROUP BY a.server, a.server_port, a.number
),
sure AS MATERIALIZED (
    SELECT r.*,
           (SELECT count(DISTINCT a.client || ' ' || a.client_port) FROM answered a
            WHERE a.server = r.server AND a.server_port = r.server_port
              AND a.closed_at BETWEEN r.cut_at - 250000000 AND r.cut_end_at + 250000000
              AND coalesce(a.left_at >= a.closed_at, 1)
              AND (coalesce(a.closed_at - a.last_end_at > 5000000, 1)
                   OR a.stream_id IN (SELECT stream_id FROM broken))) AS connections
    FROM refused r
    WHERE NOT EXISTS (SELECT 1 FROM answered a
                      WHERE a.server = r.server AND a.server_port = r.server_port AND a.first_at < r.cut_at
                        AND (a.last_answer_at > r.cut_end_at + r.clock_doubt
                             OR (a.last_at > r.cut_end_at + 1000000000 AND a.left_at IS NULL
                                 AND (a.closed_at IS NULL
                                      OR (a.by_fin AND a.closed_at > r.cut_end_at + 1000000000)))))
      AND NOT EXISTS (SELECT 1 FROM refusals f, answered a
                      WHERE f.server = r.server AND f.server_port = r.server_port
                        AND f.first_at BETWEEN r.accepted_at AND r.accepted_at + 2000000000
                        AND a.server = r.server AND a.server_port = r.server_port
                        AND a.first_at > r.cut_end_at AND a.first_at < f.first_at AND a.last_answer_at > f.last_at)
)
SELECT b.exchange_id    AS exchange_id,   -- the request that was cut off
       b.site_id        AS site_id,
       b.stream_id      AS stream_id,
       b.request_at     AS request_at,
       b.status IS NOT NULL AS had_begun, -- boolean; its answer had begun
       b.closed_at      AS closed_at,     -- when its connection was cut
       s.server         AS server,
       s.server_port    AS server_port,
       s.cut_at         AS cut_at,        -- the first of these times in this cut ...
       s.cut_end_at     AS cut_end_at,    -- ... and the last
       s.connections    AS connections,   -- how many the server closed then, idle ones included
       s.refused_at     AS refused_at,    -- when it first refused a connection
       s.refusals       AS refusals,      -- how many it refused before it accepted one
       s.accepted_at    AS accepted_at,   -- when it did; NULL: not seen
       s.clock_doubt    AS clock_doubt,   -- ns; how far the times of the captures concerned are in doubt
       s.gap_doubt      AS gap_doubt      -- boolean; bytes of these connections are missing
FROM sure s
JOIN moments m ON m.server = s.server AND m.server_port = s.server_port AND m.number = s.number
JOIN broken b ON b.exchange_id = m.exchange_id
WHERE s.connections >= 2;

-- What could not be seen. A verdict rests on a span of time: loss within it that hides exchanges at the same
-- server may hide what explains it.
CREATE VIEW loss_facts AS
SELECT l.id             AS loss_id,
       CASE l.kind WHEN 1 THEN 'gap' WHEN 2 THEN 'midstream' WHEN 3 THEN 'one-sided' WHEN 4 THEN 'snaplen'
           WHEN 14 THEN 'clock-set'
           WHEN 5 THEN 'dropped' WHEN 6 THEN 'bound' WHEN 7 THEN 'undecoded' WHEN 8 THEN 'tls'
           WHEN 9 THEN 'http2' WHEN 10 THEN 'not-http' WHEN 11 THEN 'capture-cut'
           WHEN 13 THEN 'shed' ELSE 'ambiguous' END AS kind,
       l.capture_id     AS capture_id,
       l.stream_id      AS stream_id,     -- NULL: the whole capture
       coalesce(l.from_at, -9223372036854775807) AS from_at, -- what happened from then ...
       coalesce(l.to_at, 9223372036854775807) AS to_at,      -- ... to then may be hidden
       l.server         AS server,        -- whose answers are concerned; NULL: all servers
       l.server_port    AS server_port,
       l.bytes          AS bytes,         -- missing; 0 where unknown
       l.count          AS count,         -- frames, gaps or connections, as the kind says
       l.hides_exchanges AS hides_exchanges -- boolean; whole exchanges may be missing
FROM loss l;

-- When loss hides exchanges: the union of such losses. No two spans of a server touch, so the last one that begins
-- before the end of a time tells whether any lies in it; those of all losses would have to be looked at one by one.
CREATE VIEW loss_span_facts AS
SELECT l.server      AS server,      -- whose answers are concerned; NULL: all servers
       l.server_port AS server_port,
       l.from_at     AS from_at,     -- what happened from then ...
       l.to_at       AS to_at        -- ... to then may be hidden
FROM loss_spans l;
