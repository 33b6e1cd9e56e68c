/*
id: identity-mixup
title: An answer that tells who is signed in named another user
severity: critical
meaning: >
  A request came with the session of one user, and the answer called its sender by the name of another. Whatever else
  stands in such an answer (address, orders, rights) is then the other user's as well, and what this user does next may be
  done in the other's name.
cause: >
  State of one request that two requests use at once: a pooled object that goes back to its pool while a
  goroutine or callback still writes to it, a "current user" in a field of a handler, in a global or in a thread-local
  that is not cleared, a template or JSON buffer shared by requests. Or a store that keeps the old value
  (LoadOrStore where Store is meant), a map of sessions written without a lock, a cache of rendered answers or user data
  whose key lacks the user.
confirm: >
  Sign in two users and ask for this page from both at once, a few hundred times, and compare each answer with the session
  that asked. Run the server with the race detector (go test -race, go run -race) meanwhile. Look for sync.Pool objects
  that are put back before their last use, for fields of handlers that requests write, for caches keyed by
  path alone; a proxy in front that caches shows by Age or X-Cache, and such answers are left out here.
repair: >
  Keep what belongs to a request in its context or on its stack, reset pooled objects when they are taken and put them back
  last, guard the session map or use Store, put the user into the key of every cache of personal data and send
  Cache-Control: private, no-store.
lookalikes: >
  An administrator who takes a user's place (requests to impersonate, switch-user, become and the like; other acts after
  which the name changes each time leave a suspicion), and answers that name
  both; another user's public profile, and whatever the request itself names; lists, searches and pages of
  administrators that name many; the same user by the other of their names (alice, Alice, alice@example.com, a
  display name or a number that the site always uses for them); a user who was renamed; answers from a cache;
  visitors. Whom a session serves whose token several users were given is told by shared-token.
silence: >
  Another login of that token before, an act of an administrator between that may change the user; a profile whose
  identity names other endpoints than this one.
references: CWE-362 Race Condition, CWE-488 Exposure of Data Element to Wrong Session, CWE-639, CWE-524
*/

-- What users signed in by.
WITH named AS MATERIALIZED (
    SELECT DISTINCT f.site_id, f.user_id, m.value, m.kind = 23 AS is_local
    FROM (SELECT 1 FROM mark_facts WHERE kind IN (24, 25) LIMIT 1) -- else there is nothing to compare
    CROSS JOIN asked_marks m
    CROSS JOIN exchange_facts f ON f.exchange_id = m.exchange_id
    WHERE m.kind IN (22, 23) AND f.role = 'login' AND f.outcome = 'success' AND f.user_id IS NOT NULL
),
-- What answers called users whose session is known. A place is what should call everybody by their own name: the
-- endpoint where its path says so, else one target.
told AS MATERIALIZED (
    SELECT f.exchange_id, f.site_id, f.session_id, f.user_id, f.request_at, f.response_at, m.value,
           m.kind = 24 AS by_path, m.kind = 26 AS is_local,
           CASE m.kind WHEN 24 THEN f.endpoint_id || '' WHEN 25 THEN f.endpoint_id || ' ' || f.target END AS place
    FROM asked_marks m
    CROSS JOIN exchange_facts f ON f.exchange_id = m.exchange_id
    WHERE m.kind IN (24, 25, 26) AND f.user_id IS NOT NULL AND NOT f.is_cached
      AND f.outcome IN ('granted', 'success', 'none')
),
-- Both together, so that what has one value meets by sorting.
counted AS (
    SELECT *, sum(NOT is_login AND NOT is_local) OVER (PARTITION BY site_id, value, user_id) AS times
    FROM (SELECT 0 AS is_login, * FROM told
          UNION ALL
          SELECT 1, NULL, site_id, NULL, user_id, NULL, NULL, value, NULL, is_local, NULL FROM named)
),
met AS (
    SELECT *,
           min(CASE WHEN is_login AND NOT is_local THEN user_id END) OVER same AS whole_a_id,
           max(CASE WHEN is_login AND NOT is_local THEN user_id END) OVER same AS whole_b_id,
           min(CASE WHEN is_login AND is_local THEN user_id END) OVER same AS local_a_id,
           max(CASE WHEN is_login AND is_local THEN user_id END) OVER same AS local_b_id,
           sum(NOT is_login AND NOT is_local) OVER same AS all_times,
           max(times) OVER same AS most_times
    FROM counted
    WINDOW same AS (PARTITION BY site_id, value)
),
-- Which of the names told is whose. The part before an @ counts only against a whole name: two addresses that begin
-- alike are two people. A name that nearly all answers with it gave to one user is that user's: a number, a
-- display name.
whose AS (
    SELECT m.*,
           CASE WHEN whole_a_id IS NOT NULL THEN whole_a_id WHEN NOT is_local THEN local_a_id END AS login_owner_id,
           CASE WHEN NOT is_local AND most_times >= 3 AND most_times >= all_times * 0.75
                THEN max(CASE WHEN times = most_times THEN user_id END) OVER (PARTITION BY site_id, value)
                END AS habit_owner_id,
           coalesce(user_id IN (whole_a_id, whole_b_id), 0)
           OR (NOT is_local AND coalesce(user_id IN (local_a_id, local_b_id) OR local_a_id != local_b_id, 0)) AS is_named
    FROM met m
),
shown AS MATERIALIZED (
    SELECT exchange_id, site_id, session_id, user_id AS viewer_id, request_at, response_at,
           max(by_path) AS by_path, max(place) AS place,
           max(is_named OR coalesce(habit_owner_id = user_id, 0)) AS is_own,
           min(login_owner_id) AS login_owner_id, coalesce(min(login_owner_id), min(habit_owner_id)) AS owner_id
    FROM whose
    WHERE NOT is_login
    GROUP BY exchange_id
),
-- Each answer among the others of its place, its session and its user.
answers AS (
    SELECT s.*,
           sum(s.is_own) OVER place AS place_own,
           sum(NOT s.is_own AND s.owner_id IS NOT NULL) OVER place AS place_other,
           min(CASE WHEN s.is_own THEN s.viewer_id END) OVER place
               < max(CASE WHEN s.is_own THEN s.viewer_id END) OVER place AS place_of_many,
           sum(s.is_own) OVER (PARTITION BY s.place, s.viewer_id) AS habit,
           sum(s.is_own) OVER viewer AS viewer_own,
           min(coalesce(s.owner_id, 0)) OVER viewer = max(coalesce(s.owner_id, 0)) OVER viewer AS viewer_one_name,
           max(CASE WHEN s.is_own THEN s.request_at END) OVER viewer > s.response_at AS own_later,
           max(CASE WHEN s.is_own THEN s.request_at END)
               OVER (PARTITION BY s.session_id ORDER BY s.request_at, s.exchange_id
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS session_own_at,
           max(CASE WHEN s.is_own THEN s.request_at END)
               OVER (PARTITION BY s.viewer_id ORDER BY s.request_at, s.exchange_id
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS viewer_own_at
    FROM shown s
    WHERE s.site_id IN (SELECT o.site_id FROM shown o WHERE NOT o.is_own AND o.owner_id IS NOT NULL)
    WINDOW place AS (PARTITION BY s.place), viewer AS (PARTITION BY s.viewer_id)
),
wrong AS MATERIALIZED (
    SELECT *
    FROM answers
    WHERE NOT is_own AND owner_id IS NOT NULL
      AND (by_path OR place_of_many OR place_own >= 3)
      AND (place_own >= place_other OR (by_path AND place_own = 0 AND place_other = 1))
      -- By habit alone only those have another name who have one of their own there.
      AND (login_owner_id IS NOT NULL OR habit >= 2)
),
changes AS MATERIALIZED (
    SELECT f.user_id, f.session_id, f.request_at
    FROM (SELECT 1 FROM wrong LIMIT 1)
    CROSS JOIN mark_facts m
    CROSS JOIN exchange_facts f ON f.exchange_id = m.exchange_id
    WHERE m.kind = 27 AND f.user_id IS NOT NULL AND coalesce(f.status, 0) < 400
),
-- Acts of words nobody knows may do so as well. What these sessions did between the answers that named them:
-- place counts the names told until then.
steps AS MATERIALIZED (
    SELECT *, count(name) OVER (PARTITION BY session_id ORDER BY at, exchange_id) AS place
    FROM (SELECT session_id, request_at AS at, exchange_id, NULL AS endpoint_id,
                 CASE WHEN is_own THEN viewer_id ELSE owner_id END AS name
          FROM shown
          WHERE (is_own OR owner_id IS NOT NULL) AND session_id IN (SELECT session_id FROM wrong)
          UNION ALL
          SELECT h.session_id, h.start_at, h.exchange_id, h.endpoint_id, NULL
          FROM (SELECT DISTINCT session_id FROM wrong) w
          CROSS JOIN session_history h ON h.session_id = w.session_id
          WHERE h.kind = 'granted' AND h.method IN ('POST', 'PUT', 'PATCH', 'DELETE')
            AND NOT EXISTS (SELECT 1 FROM mark_facts m
                            WHERE m.mark_id BETWEEN h.exchange_id * 32 AND h.exchange_id * 32 + 31
                              AND m.kind IN (24, 25, 26)))
),
names AS MATERIALIZED (
    SELECT session_id, exchange_id, place, name,
           lag(name) OVER (PARTITION BY session_id ORDER BY place) AS name_before,
           lead(name) OVER (PARTITION BY session_id ORDER BY place) AS name_after
    FROM steps
    WHERE name IS NOT NULL
),
acts AS MATERIALIZED (
    SELECT s.session_id, s.place, s.exchange_id,
           max(coalesce(n.name = n.name_after, 0)) OVER (PARTITION BY s.endpoint_id) AS keeps
    FROM steps s
    JOIN names n ON n.session_id = s.session_id AND n.place = s.place
    WHERE s.name IS NULL
),
-- Those that never left a name as it was.
switches AS MATERIALIZED (
    SELECT session_id, place, min(exchange_id) AS exchange_id
    FROM acts
    WHERE NOT keeps
    GROUP BY session_id, place
),
-- The runs of one name: did such an act begin it, and such an act, or nothing, end it?
runs AS MATERIALIZED (
    SELECT session_id, min(place) AS first_place, max(place) AS last_place,
           max(place) = max(max(place)) OVER (PARTITION BY session_id) AS is_last
    FROM (SELECT session_id, place,
                 sum(name IS NOT name_before) OVER (PARTITION BY session_id ORDER BY place) AS run
          FROM names)
    GROUP BY session_id, run
),
switched AS MATERIALIZED (
    SELECT n.exchange_id, b.exchange_id * 2 + (NOT r.is_last) AS act -- and whether it is ended
    FROM runs r
    JOIN switches b ON b.session_id = r.session_id AND b.place = r.first_place - 1
    LEFT JOIN switches e ON e.session_id = r.session_id AND e.place = r.last_place
    JOIN names n ON n.session_id = r.session_id AND n.place BETWEEN r.first_place AND r.last_place
    WHERE r.is_last OR e.place IS NOT NULL
),
detailed AS MATERIALIZED (
    SELECT w.*, f.method, f.path, f.status, f.user, f.response_end_at, f.loss, f.server, f.server_port,
           f.role = 'login' AS at_login,
           (SELECT o.user FROM login_facts o
            WHERE o.site_id = w.site_id AND o.user_id = w.owner_id LIMIT 1) AS other,
           (SELECT m.text FROM mark_facts m
            WHERE m.mark_id BETWEEN w.exchange_id * 32 AND w.exchange_id * 32 + 31
              AND m.kind IN (24, 25) AND m.text IS NOT NULL ORDER BY m.mark_id LIMIT 1) AS name_told,
           f.pairing = 'resynchronised' AS pairing_doubt,
           (SELECT c.act FROM switched c WHERE c.exchange_id = w.exchange_id) AS act,
           (SELECT h.operation_id FROM session_history h
            WHERE h.session_id = w.session_id AND h.kind = 'login' AND h.start_at <= w.request_at
            ORDER BY h.start_at DESC, h.operation_id DESC LIMIT 1) AS login_id
    FROM wrong w
    CROSS JOIN exchange_facts f ON f.exchange_id = w.exchange_id
    -- The session is no other user's: a token that two were given, a browser that several use.
    WHERE NOT EXISTS (SELECT 1 FROM session_history h
                      JOIN exchange_facts l ON l.exchange_id = h.exchange_id
                      WHERE h.session_id = w.session_id AND h.kind IN ('login', 'possible login')
                        AND h.start_at <= w.response_at
                        AND l.user_id != w.viewer_id)
      -- The session, or the user, may have got another name, and has not been called by the old one since.
      AND NOT EXISTS (SELECT 1 FROM changes c
                      WHERE c.user_id = w.viewer_id AND c.request_at <= w.response_at
                        AND c.request_at >= coalesce(CASE WHEN c.session_id = w.session_id THEN w.session_own_at
                                                          ELSE w.viewer_own_at END, c.request_at))
),
-- Two names of one person are of two forms. A name that nobody had before may be this user's new one.
people AS MATERIALIZED (
    SELECT d.*,
           CASE WHEN d.user GLOB '~????????????????' THEN 0 -- hidden by --redact-users
                ELSE (d.user LIKE '%@%') * 2 + (d.user GLOB '*[0-9][0-9][0-9]*') END AS form,
           CASE WHEN d.other GLOB '~????????????????' THEN 0
                ELSE (d.other LIKE '%@%') * 2 + (d.other GLOB '*[0-9][0-9][0-9]*') END AS other_form,
           viewer_own = 0 AND viewer_one_name AS is_constant,
           coalesce((SELECT l.to_at FROM loss_span_facts l
                     WHERE l.server = d.server AND l.server_port = d.server_port AND l.from_at <= d.response_at
                     ORDER BY l.from_at DESC LIMIT 1)
                    >= coalesce((SELECT h.start_at FROM session_history h
                                 WHERE h.operation_id = d.login_id), d.request_at), 0) AS loss_doubt
    FROM detailed d
    WHERE d.other IS NOT NULL AND lower(d.other) != lower(d.user)
),
judged AS (
    SELECT p.*,
           CASE WHEN place_own = 0 OR coalesce(act & 1, 0) THEN 2
                ELSE min(2, (act IS NOT NULL) + (login_owner_id IS NULL) + is_constant + pairing_doubt + (loss OR loss_doubt)
                            + (login_id IS NULL AND NOT at_login)) END AS steps
    FROM people p
    WHERE NOT (viewer_own = 0 AND viewer_one_name AND form != other_form)
      AND NOT (viewer_own > 0 AND NOT own_later
               AND NOT EXISTS (SELECT 1 FROM login_facts l
                               WHERE l.site_id = p.site_id AND l.user_id = p.owner_id AND l.outcome = 'success'
                                 AND l.start_at <= p.response_at))
)
SELECT exchange_id,
       session_id,
       site_id,
       request_at AS at,
       CASE steps WHEN 0 THEN 'proven' WHEN 1 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s %s was asked with the session of %s and answered as if %s had asked%s', method, path, user, other,
              CASE WHEN lower(name_told) NOT IN (lower(other), lower(user)) THEN printf(' (%s)', name_told)
                   ELSE '' END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'No other answer of this endpoint called a user by the name they signed in with.' AS text
                   WHERE place_own = 0
            UNION ALL SELECT 'The name told is not what the other user signed in with, but what the site called nobody else.'
                   WHERE login_owner_id IS NULL
            UNION ALL SELECT printf('This session went by another name since %s %s: the user may have taken another one''s place.',
                                    x.method, x.path)
                   FROM exchange_facts x WHERE x.exchange_id = act >> 1
            UNION ALL SELECT 'Every answer called this user so: it may be another name of the same person.'
                   WHERE is_constant
            UNION ALL SELECT 'The login of this session was not captured; the user is known from a later one.'
                   WHERE login_id IS NULL AND NOT at_login
            UNION ALL SELECT 'The capture lost bytes that may hide a login of the other user with this token.'
                   WHERE loss OR loss_doubt
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       (SELECT json_group_array(json_object('role', role, 'exchange_id', exchange_id, 'text', text)) FROM (
            SELECT 'login' AS role, h.exchange_id,
                   printf('%s %s: this session was opened by %s', h.method, h.path, judged.user) AS text
            FROM session_history h
            WHERE h.operation_id = judged.login_id AND h.exchange_id != judged.exchange_id
            UNION ALL
            SELECT 'access', judged.exchange_id,
                   printf('%s %s answered %d and tells the name of %s', method, path, status, other))) AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Answers that told a user whose session is known who they are.
SELECT f.site_id, coalesce(f.request_at, f.response_at) / 900000000000 AS quarter, count(DISTINCT f.exchange_id) AS exercised
FROM mark_facts m
CROSS JOIN exchange_facts f ON f.exchange_id = m.exchange_id
WHERE m.kind IN (24, 25) AND f.user_id IS NOT NULL AND NOT f.is_cached AND f.outcome IN ('granted', 'success', 'none')
GROUP BY 1, 2;

-- At a glance: where what came in may call a user by somebody else's name, as much as a capture would show that began
-- not long ago, with all that bears these names or the users' own.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT f.user_id, m.value
    FROM glance_facts g
    CROSS JOIN mark_facts m ON m.mark_id >= g.since_id * 32
    CROSS JOIN exchange_facts f ON f.exchange_id = m.exchange_id
    WHERE +m.kind IN (24, 25) AND f.user_id IS NOT NULL AND NOT f.is_cached
      -- Nothing in it is what the user signed in by.
      AND NOT EXISTS (SELECT 1 FROM mark_facts o
                      CROSS JOIN mark_facts l ON l.kind = 22 AND l.value = o.value
                      CROSS JOIN exchange_facts x ON x.exchange_id = l.exchange_id
                      WHERE o.mark_id BETWEEN m.exchange_id * 32 AND m.exchange_id * 32 + 31 AND +o.kind IN (24, 25)
                        AND x.site_id = f.site_id AND x.user_id = f.user_id AND x.role = 'login'
                        AND x.outcome = 'success')
      -- A name that so many have given or been called by before anybody else is the user's own.
      AND EXISTS (SELECT 1
                  FROM (SELECT o.exchange_id FROM mark_facts o
                        WHERE o.kind IN (22, 23, 24, 25) AND o.value = m.value LIMIT 1000) l
                  CROSS JOIN exchange_facts x ON x.exchange_id = l.exchange_id
                  WHERE x.site_id = f.site_id AND x.user_id != f.user_id)
)
SELECT m.exchange_id, m.kind, m.value
FROM (SELECT 1 FROM asked LIMIT 1)
CROSS JOIN glance_facts g
CROSS JOIN mark_facts m ON m.mark_id >= g.recent_id * 32
WHERE +m.kind BETWEEN 22 AND 26
UNION
SELECT l.exchange_id, l.kind, l.value
FROM asked a
CROSS JOIN mark_facts l ON l.kind IN (22, 23) AND l.value = a.value
UNION
SELECT o.exchange_id, o.kind, o.value
FROM (SELECT DISTINCT n.value
      FROM (SELECT DISTINCT user_id FROM asked) a
      CROSS JOIN login_core l ON l.user_id = a.user_id
      CROSS JOIN mark_facts n ON n.mark_id BETWEEN l.exchange_id * 32 AND l.exchange_id * 32 + 31
      WHERE +n.kind = 22) v
CROSS JOIN mark_facts o ON o.kind IN (22, 24, 25) AND o.value = v.value;
