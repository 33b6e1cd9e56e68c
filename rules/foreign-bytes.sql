/*
id: foreign-bytes
title: An answer carried what belongs to another user
severity: critical
meaning: >
  An answer to one user's request holds a value that otherwise only another user's answers hold: an account or customer
  number, an identifier, an address. Bytes of one person's answer went to another person. What is seen of it is
  what looks unique; more of the same may have gone unseen.
cause: >
  A goroutine, callback or thread that outlives its handler and goes on writing: its buffer already belongs to
  the answer of another connection, whose Content-Length counts the foreign bytes like its own. Or a pooled buffer that
  goes back to its pool before its last use, one that is not reset, a slice kept after its memory is used again, a page or
  fragment cache whose key lacks the user.
confirm: >
  Ask for the endpoints of both exchanges from two users at once, in numbers, and search each answer for the other's
  values. Run the server with the race detector (go test -race, go run -race) meanwhile; look for writes to a response
  after its handler returned (go func in handlers, timers, callbacks), for sync.Pool buffers put back
  while something still holds them (bytes.Buffer.Bytes() kept), for caches of rendered pages.
repair: >
  Let a handler wait for everything that writes to its response (a WaitGroup, a context that is awaited, a channel), copy
  what leaves a pooled buffer before it is put back, reset buffers when they are taken, put the user into cache keys.
lookalikes: >
  What the request itself holds, or an earlier one of this user held (an address to return to, a number typed into a form);
  values that are the same for everybody (assets, products, releases); the same user's values in another of their sessions,
  also under another name; what two users share for long (an order, a document, a team, a conversation): it is
  there again the next time; pages on which others are met anyway (teams, searches, profiles, lists of administrators); one-time
  values (CSRF, nonces), which come once; an administrator in a user's place; answers from a cache; visitors. A token that
  two users were given is told by shared-token.
silence: >
  The value in another user's own answer, in the request, or in an answer without a session; a user who is not
  known, or the same one, in both sessions.
references: CWE-362 Race Condition, CWE-488 Exposure of Data Element to Wrong Session, CWE-200, CWE-416
*/

-- Values that came more than twice, and in which answers to known users.
WITH repeated AS MATERIALIZED (
    SELECT value
    FROM asked_marks
    WHERE kind IN (28, 29, 30)
    GROUP BY value
    HAVING count(*) >= 3
),
seen AS (
    SELECT m.value, m.kind = 29 AS is_stray, m.kind = 30 AS is_asked, f.exchange_id, f.site_id, f.endpoint_id, f.session_id, f.role,
           f.user_id AS viewer_id, f.status, f.request_at, f.response_at,
           -- Without the number against caches that scripts put behind it.
           CASE WHEN instr(f.target, '?_=') + instr(f.target, '&_=') > 0
                     AND substr(f.target, max(instr(f.target, '?_='), instr(f.target, '&_=')) + 3) NOT GLOB '*[^0-9]*'
                THEN substr(f.target, 1, max(instr(f.target, '?_='), instr(f.target, '&_=')) - 1)
                ELSE f.target END AS target,
           count(*) OVER (PARTITION BY f.site_id, m.value, f.user_id) AS times,
           count(*) OVER (PARTITION BY f.site_id, m.value) AS all_times
    FROM asked_marks m
    CROSS JOIN exchange_facts f ON f.exchange_id = m.exchange_id
    WHERE m.kind IN (28, 29, 30) AND m.value IN (SELECT value FROM repeated) AND f.user_id IS NOT NULL AND NOT f.is_cached
),
-- The user whose answers mostly have it.
owned AS MATERIALIZED (
    SELECT *, owner_id = viewer_id AS is_own,
           owner_id != viewer_id AND NOT is_asked AS is_other -- what the request names is no surprise
    FROM (SELECT s.*,
                 max(CASE WHEN times >= 2 AND times >= all_times * 0.6 THEN viewer_id END)
                     OVER (PARTITION BY site_id, value) AS owner_id
          FROM seen s)
    WHERE owner_id IS NOT NULL
),
-- Only where somebody met another's value is the rest of interest: answers and pages, by what they hold.
held AS (
    SELECT o.*,
           max(is_own) OVER answer AS has_own,
           max(is_other) OVER answer AS has_other,
           row_number() OVER (PARTITION BY exchange_id ORDER BY value) = 1 AS is_first, -- one for each answer
           sum(is_own) OVER (PARTITION BY site_id, value, endpoint_id, status) AS own_times
    FROM owned o
    WHERE site_id IN (SELECT site_id FROM owned WHERE is_other)
    WINDOW answer AS (PARTITION BY exchange_id)
),
placed AS (
    SELECT h.*,
           sum(is_first AND has_own) OVER page AS page_own,
           sum(is_first AND has_other) OVER page AS page_other,
           min(CASE WHEN has_own THEN viewer_id END) OVER page
               < max(CASE WHEN has_own THEN viewer_id END) OVER page AS page_of_many,
           sum(is_first AND has_own) OVER (PARTITION BY viewer_id, endpoint_id, status) AS viewer_own,
           -- Of the same page to the same user: what is shared with them would be there again.
           sum(is_first) OVER later AS later_answers,
           sum(is_first) OVER earlier AS earlier_answers,
           count(*) OVER (PARTITION BY viewer_id, endpoint_id, target, status, value
                          ORDER BY request_at, exchange_id
                          ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS later_with,
           count(*) OVER (PARTITION BY viewer_id, endpoint_id, target, status, value
                          ORDER BY request_at, exchange_id
                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS earlier_with
    FROM held h
    WINDOW page AS (PARTITION BY endpoint_id, status),
           later AS (PARTITION BY viewer_id, endpoint_id, target, status ORDER BY request_at, exchange_id
                     GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING),
           earlier AS (PARTITION BY viewer_id, endpoint_id, target, status ORDER BY request_at, exchange_id
                       GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
-- A value is a user's, not a thing's that the user looks at, where a page that shows each user their own shows it to
-- its owner always, or another's in its place.
usual AS (
    SELECT p.*,
           max(is_own AND page_of_many AND own_times >= 2 AND own_times >= viewer_own * 0.6)
               OVER (PARTITION BY site_id, value) AS is_usual,
           -- There again and again from the first time on.
           is_other AND earlier_with + later_with > 0
           AND earlier_with = coalesce(earlier_answers, 0) AND later_with = coalesce(later_answers, 0) AS is_constant
    FROM placed p
),
answered AS (
    SELECT u.*,
           max(is_other AND is_usual) OVER (PARTITION BY exchange_id) AS has_usual,
           max(is_constant) OVER (PARTITION BY endpoint_id, status) AS page_is_shared
    FROM usual u
),
replaced AS (
    SELECT a.*,
           sum(is_first AND has_own AND has_usual) OVER (PARTITION BY viewer_id, endpoint_id, status) AS viewer_usual,
           sum(is_own AND has_usual) OVER (PARTITION BY site_id, value, endpoint_id, status) AS own_usual
    FROM answered a
),
judged_values AS (
    SELECT r.*,
           max(is_own AND page_of_many AND own_times >= 2
               AND own_times >= (viewer_own - (viewer_usual - own_usual)) * 0.8)
               OVER (PARTITION BY site_id, value) AS is_users
    FROM replaced r
),
-- Nor is what the user wrote or asked for before.
others AS MATERIALIZED (
    SELECT *
    FROM judged_values v
    WHERE is_other AND is_users
      AND NOT EXISTS (SELECT 1 FROM mark_facts k
                      CROSS JOIN exchange_facts g ON g.exchange_id = k.exchange_id
                      WHERE k.kind IN (30, 32) AND k.value = v.value AND g.site_id = v.site_id
                        AND (g.user_id = v.viewer_id OR g.session_id = v.session_id)
                        AND g.request_at <= v.response_at)
),
-- Answers with more values than are marked: of those with greater first bits it is not known.
cut_answers AS MATERIALIZED (
    SELECT o.exchange_id, o.viewer_id, o.endpoint_id, o.target, o.status, o.request_at, m.value AS end_order
    FROM (SELECT 1 FROM others LIMIT 1)
    CROSS JOIN mark_facts m
    CROSS JOIN (SELECT DISTINCT exchange_id, viewer_id, endpoint_id, target, status, request_at FROM owned) o
        ON o.exchange_id = m.exchange_id
    WHERE m.kind = 31
),
unsure AS MATERIALIZED (
    SELECT v.exchange_id, v.value,
           sum(c.request_at > v.request_at) AS later, sum(c.request_at < v.request_at) AS earlier
    FROM others v
    JOIN cut_answers c ON c.viewer_id = v.viewer_id AND c.endpoint_id = v.endpoint_id AND c.target = v.target
                      AND c.status IS v.status AND c.end_order <= v.value >> 56 AND c.exchange_id != v.exchange_id
    WHERE NOT EXISTS (SELECT 1 FROM owned o WHERE o.exchange_id = c.exchange_id AND o.value = v.value)
    GROUP BY v.exchange_id, v.value
),
strays AS MATERIALIZED (
    SELECT v.*, coalesce(u.later, 0) AS later_unsure, coalesce(u.earlier, 0) AS earlier_unsure
    FROM others v
    LEFT JOIN unsure u ON u.exchange_id = v.exchange_id AND u.value = v.value
),
owners AS MATERIALIZED (
    SELECT owner_id AS id,
           (SELECT l.user FROM login_facts l WHERE l.site_id = s.site_id AND l.user_id = s.owner_id LIMIT 1) AS name
    FROM strays s
    GROUP BY owner_id
),
-- Of several owners the first by name is told.
foreign_values AS MATERIALIZED (
    SELECT s.*, o.name AS other, first_value(s.owner_id) OVER (PARTITION BY s.exchange_id ORDER BY o.name) AS told_id
    FROM strays s
    JOIN owners o ON o.id = s.owner_id
),
met AS MATERIALIZED (
    SELECT v.exchange_id, max(v.is_stray) AS is_stray, v.told_id AS owner_id, min(v.other) AS other,
           v.site_id, v.endpoint_id, v.session_id, v.viewer_id, v.role, v.status, v.request_at, v.response_at,
           v.has_own, v.page_own AS own, v.page_other AS other_count, v.page_of_many,
           (SELECT sum(q.exchanges) FROM status_facts q
            WHERE q.endpoint_id = v.endpoint_id AND q.status = v.status) AS answers,
           max(coalesce(v.later_answers, 0) - v.later_with - v.later_unsure) AS later_without,
           max(v.later_with) AS later_with,
           max(coalesce(v.earlier_answers, 0) - v.earlier_with - v.earlier_unsure) AS earlier_without,
           max(v.earlier_with) AS earlier_with, v.page_is_shared,
           -- What somebody has just signed in to, signed out of or was sent away from shows nobody else.
           v.role IN ('login', 'logout') OR v.status BETWEEN 300 AND 399 AS is_passing
    FROM foreign_values v
    GROUP BY v.exchange_id
),
-- Pages where such values came and went: there the same may come twice in a row.
flickering AS MATERIALIZED (
    SELECT *, max(later_without > 0) OVER (PARTITION BY endpoint_id, status) AS is_flickering
    FROM met
    WHERE other_count * 3 <= answers AND answers >= 4
),
detailed AS MATERIALIZED (
    SELECT m.*, f.method, f.path, f.user, f.response_end_at, f.loss, f.pairing = 'resynchronised' AS pairing_doubt,
           -- The owner's answer before it, else the first one.
           (SELECT o.exchange_id
            FROM (SELECT f.exchange_id, f.request_at, f.request_at <= m.request_at AS is_before
                  FROM foreign_values w
                  CROSS JOIN mark_facts k ON k.value = w.value
                  CROSS JOIN exchange_facts f ON f.exchange_id = k.exchange_id
                  WHERE w.exchange_id = m.exchange_id AND w.owner_id = m.owner_id
                    AND k.kind IN (28, 29, 30) AND f.site_id = m.site_id
                    AND f.user_id = m.owner_id AND NOT f.is_cached) o
            ORDER BY o.is_before DESC, CASE WHEN o.is_before THEN -o.request_at ELSE o.request_at END, o.exchange_id
            LIMIT 1) AS owner_exchange_id
    FROM flickering m
    CROSS JOIN exchange_facts f ON f.exchange_id = m.exchange_id
    WHERE (m.is_stray OR m.is_passing
           OR (m.own * 5 >= m.answers * 3 AND m.page_of_many
               -- What came and stayed is shared, and so is what stands on a page of shared things.
               AND (m.later_without > 0 OR m.is_flickering
                    OR (m.later_with = 0 AND m.earlier_with = 0 AND (m.earlier_without > 0 OR NOT m.page_is_shared)))))
      AND NOT EXISTS (SELECT 1 FROM session_history h
                      JOIN exchange_facts l ON l.exchange_id = h.exchange_id
                      WHERE h.session_id = m.session_id AND h.kind IN ('login', 'possible login')
                        AND h.start_at <= m.response_at
                        AND l.user_id != m.viewer_id)
      -- An administrator in the user's place sees nothing of their own until they leave it.
      AND (m.has_own
           OR NOT EXISTS (SELECT 1 FROM mark_facts k
                          CROSS JOIN exchange_facts c ON c.exchange_id = k.exchange_id
                          WHERE k.kind = 27 AND c.session_id = m.session_id AND c.request_at <= m.response_at
                            AND coalesce(c.status, 0) < 400
                            AND NOT EXISTS (SELECT 1 FROM owned o
                                            WHERE o.session_id = m.session_id AND o.is_own
                                              AND o.request_at > c.request_at AND o.response_at < m.request_at)))
),
judged AS (
    SELECT d.*,
           min(2, CASE WHEN is_stray OR is_passing OR later_without > 0 THEN 0 WHEN earlier_without > 0 OR is_flickering THEN 1
                  ELSE 2 END
                  + (loss OR pairing_doubt)) AS steps
    FROM detailed d
    WHERE lower(other) != lower(user)
      AND lower(substr(other, 1, length(user) + 1)) != lower(user) || '@'
      AND lower(substr(user, 1, length(other) + 1)) != lower(other) || '@'
)
SELECT exchange_id,
       session_id,
       site_id,
       request_at AS at,
       CASE steps WHEN 0 THEN 'proven' WHEN 1 THEN 'contradiction' ELSE 'suspect' END AS verdict,
       printf('%s %s answered %s with a value that belongs to %s%s', method, path, user, other,
              CASE WHEN is_stray THEN ', in a place where the format of the answer has none'
                   WHEN has_own THEN ', beside their own' ELSE '' END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'No later answer of this page to this user shows whether the value would be there again, as what '
                   || 'the two share would be.' AS text
                   WHERE NOT is_stray AND NOT is_passing AND later_without = 0
            UNION ALL SELECT 'Bytes of this exchange are missing: others may stand in their place.' WHERE loss
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE pairing_doubt)) AS caveats,
       (SELECT json_group_array(json_object('role', role, 'exchange_id', exchange_id, 'text', text)) FROM (
            SELECT 'access' AS role, o.exchange_id,
                   printf('%s %s: an answer to %s has the value as well', o.method, o.path, judged.other) AS text
            FROM exchange_facts o WHERE o.exchange_id = judged.owner_exchange_id
            UNION ALL
            SELECT 'access', judged.exchange_id,
                   printf('%s %s answered %d to %s has it, though %d of %d answers of this kind hold nothing of others',
                          method, path, status, judged.user, answers - other_count, answers)))
           AS evidence
FROM judged
ORDER BY at, exchange_id;

-- Answers to known users with values that may be one user's alone.
SELECT f.site_id, coalesce(f.request_at, f.response_at) / 900000000000 AS quarter, count(DISTINCT f.exchange_id) AS exercised
FROM mark_facts m
CROSS JOIN exchange_facts f ON f.exchange_id = m.exchange_id
WHERE m.kind IN (28, 29, 30) AND f.user_id IS NOT NULL AND NOT f.is_cached
GROUP BY 1, 2;

-- At a glance: where what came in has values that may be somebody else's than whose session an answer with it was for,
-- as much as a capture would show that began not long ago. A value that very many answers had is nobody's.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT m.value
    FROM glance_facts g
    CROSS JOIN mark_facts m ON m.mark_id >= g.since_id * 32
    CROSS JOIN exchange_facts f ON f.exchange_id = m.exchange_id
    WHERE +m.kind IN (28, 29) AND f.user_id IS NOT NULL AND NOT f.is_cached
      AND f.user_id != (SELECT CASE WHEN max(o.times) >= 2 AND max(o.times) >= sum(o.times) * 0.6 AND sum(o.times) < 1000
                                    THEN o.user_id ELSE f.user_id END
                        FROM (SELECT x.user_id, count(*) AS times
                              FROM (SELECT l.exchange_id FROM mark_facts l
                                    WHERE l.kind IN (28, 29, 30) AND l.value = m.value LIMIT 1000) l
                              CROSS JOIN exchange_facts x ON x.exchange_id = l.exchange_id
                              WHERE x.site_id = f.site_id AND x.user_id IS NOT NULL AND NOT x.is_cached
                              GROUP BY x.user_id) o)
)
SELECT m.exchange_id, m.kind, m.value
FROM (SELECT 1 FROM asked LIMIT 1)
CROSS JOIN glance_facts g
CROSS JOIN mark_facts m ON m.mark_id >= g.recent_id * 32
WHERE +m.kind IN (28, 29, 30)
UNION
SELECT m.exchange_id, m.kind, m.value
FROM asked a
CROSS JOIN mark_facts m ON m.kind IN (28, 29, 30) AND m.value = a.value;
