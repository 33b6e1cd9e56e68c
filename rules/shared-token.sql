/*
id: shared-token
title: One session token was issued to two users
severity: critical
meaning: >
  The server gave one and the same session token to the logins of two different users. From then on they share a
  session: one of them sees and does what belongs to the other, and whoever signs out signs out both.
cause: >
  The token is made in memory that several requests use at once: a scratch buffer, a pooled object that goes back
  to its pool while it is still in use, a random generator or a counter without a lock, a token that is
  remembered in a field of a handler shared by all requests. An answer with Set-Cookie that a cache hands to others
  has the same mark.
confirm: >
  Log in many users in parallel and look for one token twice. Run the server with the race detector (go test -race,
  go run -race); look at sync.Pool, at package-level buffers and generators on the way from the random bytes to
  the cookie, and at slices that are kept after their buffer is used again. Look whether the login's answer may be cached.
repair: >
  Make each token in memory of its own from crypto/rand, and store it with a unique key, so that a second user of the
  same token is an error. Send Cache-Control: no-store with every login's answer.
lookalikes: >
  The same user again (also under the other of their names: alice and alice@example.com); a token that the
  login's own request carried: an anonymous session taken over, a browser that several people use; failed logins.
silence: >
  Users who are not known or the same; a logout and a new login of the token between that makes it the other one's.
references: CWE-362 Race Condition, CWE-488 Exposure of Data Element to Wrong Session, CWE-330
*/

-- Logins whose answer gave a token that the request did not carry.
WITH issues AS MATERIALIZED (
    SELECT f.exchange_id, t.set_session_id AS session_id
    FROM asked_logins f
    CROSS JOIN token_facts t ON t.token_id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15
    WHERE f.outcome = 'success' AND f.user_id IS NOT NULL
      AND t.is_new AND NOT t.is_deleted AND t.carrier != 'user'
),
repeated AS MATERIALIZED (
    SELECT session_id FROM issues GROUP BY session_id HAVING count(*) > 1
),
-- Each user's first one. Of logins that overlap any may be called the later one; the others end as they start.
named AS (
    SELECT f.exchange_id, f.site_id, f.method, f.path, f.status, f.user, f.start_at, f.end_at,
           f.is_resynchronised, i.session_id,
           lower(substr(f.user, 1, instr(f.user || '@', '@') - 1)) AS short_name,
           instr(f.user, '@') = 0 AS is_short,
           row_number() OVER (PARTITION BY i.session_id, lower(f.user)
                              ORDER BY f.start_at, f.exchange_id) AS again
    FROM issues i
    CROSS JOIN login_facts f ON f.exchange_id = i.exchange_id
    WHERE i.session_id IN (SELECT session_id FROM repeated) AND f.end_at IS NOT NULL
),
-- alice and alice@shop.example may be one person; alice@shop.example and alice@bank.example are two.
related AS (
    SELECT n.*, count(*) OVER before AS same_before, coalesce(sum(is_short) OVER before, 0) AS short_before
    FROM named n
    WHERE n.again = 1
    WINDOW before AS (PARTITION BY session_id, short_name ORDER BY start_at, exchange_id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
people AS MATERIALIZED (
    SELECT n.*, row_number() OVER (PARTITION BY session_id ORDER BY start_at, exchange_id) AS place,
           count(*) OVER (PARTITION BY session_id) AS users
    FROM related n
    WHERE CASE WHEN is_short THEN same_before ELSE short_before END = 0
),
shared AS (
    SELECT p.*, o.exchange_id AS other_id, o.user AS other_user, o.method AS other_method, o.path AS other_path,
           o.status AS other_status, o.start_at AS other_at, o.end_at AS other_end_at,
           p.is_resynchronised OR o.is_resynchronised AS pairing_doubt,
           o.end_at >= p.start_at AS overlaps
    FROM people p
    JOIN people o ON o.session_id = p.session_id AND o.place = p.place - 1
)
SELECT exchange_id,
       session_id,
       site_id,
       start_at AS at,
       CASE WHEN pairing_doubt THEN 'contradiction' ELSE 'proven' END AS verdict,
       printf('%s %s gave %s the session token that %s was given%s%s',
              method, path, user, other_user,
              CASE WHEN overlaps THEN ' by a login going on at the same time'
                   WHEN start_at - other_end_at < 1000000
                   THEN printf(' %.0f µs before', (start_at - other_end_at) / 1e3)
                   WHEN start_at - other_end_at < 1000000000
                   THEN printf(' %.1f ms before', (start_at - other_end_at) / 1e6)
                   ELSE printf(' %.1f s before', (start_at - other_end_at) / 1e9) END,
              CASE WHEN users > 2 THEN printf('; %d users have it', users) ELSE '' END) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT 'After a loss it is not certain which request was answered by which response.' AS text
                   WHERE pairing_doubt
            UNION ALL SELECT 'The session is a self-contained token (JWT or the like): it names its user itself.'
                   WHERE EXISTS (SELECT 1 FROM session_history j WHERE j.session_id = shared.session_id AND j.is_jwt))) AS caveats,
       json_array(
            json_object('role', 'login', 'exchange_id', other_id,
                        'text', printf('%s %s answered %d: the token is given to %s', other_method, other_path,
                                       other_status, other_user)),
            json_object('role', 'login', 'exchange_id', exchange_id,
                        'text', printf('%s %s answered %d: the same token is given to %s', method, path, status,
                                       user))) AS evidence
FROM shared
ORDER BY at, exchange_id;

-- Successful logins of known users whose answer gave a token.
SELECT f.site_id, f.start_at / 900000000000 AS quarter, count(*) AS exercised
FROM login_facts f
WHERE f.outcome = 'success' AND f.user_id IS NOT NULL
  AND EXISTS (SELECT 1 FROM token_facts t
              WHERE t.token_id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15
                AND t.is_new AND NOT t.is_deleted AND t.carrier != 'user')
GROUP BY 1, 2;
