/*
id: failed-login-set-cookie
title: A refused login hands out a session cookie
severity: low
meaning: >
  The server refused a login with 401 or 403 and gave a new value of its session cookie in the same answer. The session
  may be a half-made one: with the user already in it, or to be finished by whatever comes next. Where it is
  accepted afterwards, that is a finding of ghost-session.
cause: >
  The session is created and its cookie set before the last check of the login (password, second factor,
  lock of the account, audit), and the way out after a failure does not take them back; or the failure comes from a
  handler that lost a race with the one that made the session.
confirm: >
  Log in with a wrong password and look at the answer; then make each step of the login behind the creation of the session
  fail. Look at what the session holds, and try its cookie on a protected page. Run the server with the race
  detector (go test -race, go run -race) under parallel logins.
repair: >
  Create the session and set the cookie as the last step of a login, when nothing can fail any more. On every other way
  out delete both.
lookalikes: >
  Cookies that are being deleted (Max-Age=0, Expires in the past, an empty value); sites that give every visitor an
  anonymous session before the login, also in place of one that has ended; sites whose cookie changes with every
  answer; a code that is refused as the second step, and the waiting session gets its next token; 5xx answers.
silence: >
  A profile that names another cookie as the session, or another success of the login; visitors who were seen to get
  such a cookie before they sign in.
references: CWE-460 Improper Cleanup on Thrown Exception, CWE-362 Race Condition, CWE-384 Session Fixation
*/

-- Where refused logins gave a cookie.
WITH asked AS MATERIALIZED (
    SELECT DISTINCT f.endpoint_id
    FROM asked_logins f
    CROSS JOIN token_facts t ON t.token_id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15
    WHERE f.outcome = 'failure' AND f.status IN (401, 403)
      AND t.carrier = 'cookie' AND t.is_new AND NOT t.is_deleted
),
-- Refused logins, and whether they came with a cookie and were given a new one.
refused AS MATERIALIZED (
    SELECT f.exchange_id, f.site_id, f.endpoint_id, f.method, f.path, f.status, f.start_at, f.had_token,
           f.is_resynchronised,
           (SELECT t.set_session_id FROM token_facts t
            WHERE t.token_id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15
              AND t.carrier = 'cookie' AND t.is_new AND NOT t.is_deleted
            ORDER BY t.token_id LIMIT 1) AS session_id,
           -- Something else shows that the server knew a token that came with it, and nothing that it was to
           -- forget it.
           EXISTS (SELECT 1
                   FROM token_facts t
                   JOIN session_history k ON k.session_id = t.sent_session_id
                   WHERE t.token_id BETWEEN f.exchange_id * 16 AND f.exchange_id * 16 + 15
                     AND k.exchange_id != f.exchange_id AND k.start_at < f.start_at
                     AND k.kind IN ('issued', 'refresh', 'login', 'granted')
                     AND NOT EXISTS (SELECT 1 FROM session_history o
                                     WHERE o.session_id = k.session_id AND o.is_logout
                                       AND o.start_at < f.start_at)) AS had_known
    FROM asked a
    CROSS JOIN login_facts f ON f.endpoint_id = a.endpoint_id
    WHERE f.outcome = 'failure' AND f.status IN (401, 403)
),
habits AS (
    SELECT refused.*,
           sum(session_id IS NOT NULL) OVER alike AS given,
           count(*) OVER alike AS total
    FROM refused
    WINDOW alike AS (PARTITION BY endpoint_id, had_token)
),
-- Sites that give a session's token to visitors too.
visited AS MATERIALIZED (
    SELECT DISTINCT h.site_id
    FROM session_history h
    WHERE h.kind = 'issued'
      AND h.exchange_id NOT IN (SELECT f.exchange_id FROM login_facts f)
),
given AS (
    SELECT b.*
    FROM habits b
    WHERE b.session_id IS NOT NULL
      -- Who came without a cookie, or with one that is no longer any, was given a visitor's; who came with
      -- one was given another each time.
      AND (b.site_id NOT IN (SELECT site_id FROM visited)
           OR (b.had_known AND b.given * 2 < b.total))
      -- A step on the way, which signs nobody in by itself, gives the session that waits for it another token.
      AND NOT (b.had_known AND NOT EXISTS (SELECT 1 FROM login_facts o
                                           WHERE o.endpoint_id = b.endpoint_id AND o.outcome = 'success'))
      -- A login that keeps it was a visitor's, and one that was granted is a ghost-session.
      AND NOT EXISTS (SELECT 1 FROM session_history h
                      WHERE h.session_id = b.session_id AND h.exchange_id != b.exchange_id
                        AND (h.kind IN ('login', 'possible login')
                             OR (h.kind = 'granted' AND h.protection != 'public' AND NOT h.is_cached
                                 AND NOT h.is_static AND NOT h.sets_other_token)))
)
SELECT exchange_id,
       session_id,
       site_id,
       start_at AS at,
       'suspect' AS verdict,
       printf('%s %s answered %d with a new session cookie; %d of %d such refusals had one',
              method, path, status, given, total) AS summary,
       (SELECT json_group_array(text) FROM (
            SELECT CASE WHEN site_id IN (SELECT site_id FROM visited)
                        THEN 'It may be an anonymous session, as the site gives visitors, in place of one that ended unseen.'
                        ELSE 'It may be an anonymous session: whether the site gives one to visitors was not seen.'
                   END AS text
            UNION ALL SELECT 'The session is a self-contained token (JWT or the like).'
                   WHERE EXISTS (SELECT 1 FROM session_history j WHERE j.session_id = given.session_id AND j.is_jwt)
            UNION ALL SELECT 'After a loss it is not certain which request was answered by which response.'
                   WHERE is_resynchronised)) AS caveats,
       json_array(json_object('role', 'login', 'exchange_id', exchange_id,
                              'text', printf('%s %s refused with %d, and a new session cookie', method, path,
                                             status))) AS evidence
FROM given
ORDER BY at, exchange_id;

-- Logins that were refused with 401 or 403.
SELECT f.site_id, f.start_at / 900000000000 AS quarter, count(*) AS exercised
FROM login_facts f
WHERE f.outcome = 'failure' AND f.status IN (401, 403)
GROUP BY 1, 2;
