/*
id: session-shared-by-clients
title: One session is used in turn from two networks by two programs
severity: low
meaning: >
  The same session was used by one program from one network, then by another program from another network, then by
  the first again, without a login between. Two people, or two machines, may be using it: a token that was given to
  somebody else by mistake, copied out of a log or a link, or taken.
cause: >
  A token that travels in links which are passed on, a token written to a log, a session that the server gave to two
  clients (see shared-token, header-leak, foreign-bytes), or a cookie that was copied on purpose.
confirm: >
  Ask the user whether both programs and networks are theirs. Look in the server's log for what each of them did, and for how
  the second came by the token: the same token issued twice, a link with the token in it, an answer from a cache.
  Where it has no innocent way, run the server with the race detector (go test -race, go run -race) under parallel logins.
repair: >
  Keep tokens out of links and logs; make a new token at each login; end a session, or ask for the password again, where
  program and network both change.
lookalikes: >
  One program in several networks (a phone between home and road, a provider that changes addresses, IPv4 beside IPv6); several
  programs in one network (a browser and its player, an app and its web view); one person's programs
  that turn up in both networks; requests that came through a proxy, whose addresses are the proxy's; plain user names
  used as sessions; a login between. A traveller with two programs cannot be told from two people.
silence: >
  One network or one User-Agent, a login between, or proxies: those of the profile's trusted_proxies, else those
  that add fields such as X-Forwarded-For.
references: CWE-488 Exposure of Data Element to Wrong Session, CWE-613 Insufficient Session Expiration
*/


-- The uses of sessions that more than one program had; a life lasts from one login to the next.
WITH steps AS MATERIALIZED (
    SELECT h.session_id, h.site_id, h.exchange_id, h.kind, h.start_at, h.end_at, h.agent, h.client_network,
           h.is_forwarded, h.protection, h.method, h.path, h.status, h.client,
           sum(h.kind IN ('login', 'possible login')) OVER lives AS life
    FROM (SELECT p.session_id
          FROM glance_facts
          CROSS JOIN asked_sessions a
          CROSS JOIN program_facts p ON p.session_id = a.session_id
          UNION ALL
          SELECT p.session_id
          FROM (SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM glance_facts))
          CROSS JOIN program_facts p) p
    CROSS JOIN session_history h ON h.session_id = p.session_id
    WINDOW lives AS (PARTITION BY h.session_id ORDER BY h.start_at, h.operation_id)
),
uses AS MATERIALIZED (
    SELECT s.*
    FROM steps s
    WHERE agent IS NOT NULL AND NOT is_forwarded AND end_at IS NOT NULL
      AND (kind = 'login' OR (kind = 'granted' AND protection != 'public'))
      AND NOT EXISTS (SELECT 1 FROM token_facts t
                      WHERE t.token_id BETWEEN s.exchange_id * 16 AND s.exchange_id * 16 + 15
                        AND t.carrier = 'user')
),
-- A program in a network. A session of very many of them is one that a pool of proxies carries.
clients AS MATERIALIZED (
    SELECT session_id, life, client_network, agent, min(start_at) AS first_at, max(start_at) AS last_at
    FROM uses
    GROUP BY session_id, life, client_network, agent
),
few AS (
    SELECT session_id, life FROM clients GROUP BY session_id, life HAVING count(*) BETWEEN 2 AND 20
),
-- Programs that turn up in each other's network belong to one person; so may addresses of two kinds.
turns AS (
    SELECT a.session_id, a.life, a.client_network AS own_network, a.agent AS own_agent,
           b.client_network, b.agent, a.first_at, a.last_at
    FROM few f
    JOIN clients a ON a.session_id = f.session_id AND a.life = f.life
    JOIN clients b ON b.session_id = a.session_id AND b.life = a.life
                  AND b.client_network != a.client_network AND b.agent != a.agent
    WHERE (instr(a.client_network, ':') > 0) = (instr(b.client_network, ':') > 0)
      AND NOT EXISTS (SELECT 1 FROM steps s
                      WHERE s.session_id = a.session_id
                        AND ((s.agent = a.agent AND s.client_network = b.client_network)
                             OR (s.agent = b.agent AND s.client_network = a.client_network)))
),
found AS MATERIALIZED (
    SELECT u.*, t.own_network, t.own_agent,
           row_number() OVER (PARTITION BY u.session_id
                              ORDER BY u.start_at, u.exchange_id, t.own_network, t.own_agent) AS place
    FROM turns t
    JOIN uses u ON u.session_id = t.session_id AND u.life = t.life
               AND u.client_network = t.client_network AND u.agent = t.agent
    WHERE u.kind = 'granted' AND u.start_at > t.first_at AND u.start_at < t.last_at
),
-- The other program's last use before and its first one after.
judged AS (
    SELECT f.*,
           (SELECT u.exchange_id FROM uses u
            WHERE u.session_id = f.session_id AND u.life = f.life AND u.client_network = f.own_network
              AND u.agent = f.own_agent AND u.start_at < f.start_at
            ORDER BY u.start_at DESC, u.exchange_id LIMIT 1) AS before_id,
           (SELECT u.exchange_id FROM uses u
            WHERE u.session_id = f.session_id AND u.life = f.life AND u.client_network = f.own_network
              AND u.agent = f.own_agent AND u.start_at > f.start_at
            ORDER BY u.start_at, u.exchange_id LIMIT 1) AS after_id
    FROM found f
    WHERE place = 1
)
SELECT j.exchange_id,
       j.session_id,
       j.site_id,
       j.start_at AS at,
       'suspect' AS verdict,
       printf('%s %s was granted to another program from %s (%s), between uses of the same session from %s',
              j.method, j.path, j.client, j.client_network, j.own_network) AS summary,
       json_array('One person with two programs, who changed the network meanwhile, looks the same.') AS caveats,
       json_array(
            json_object('role', 'access', 'exchange_id', b.exchange_id,
                        'text', printf('%s %s answered %d, from %s', b.method, b.path, b.status, b.client)),
            json_object('role', 'access', 'exchange_id', j.exchange_id,
                        'text', printf('%s %s answered %d, from %s by another program', j.method, j.path, j.status,
                                       j.client)),
            json_object('role', 'access', 'exchange_id', a.exchange_id,
                        'text', printf('%s %s answered %d, from %s again', a.method, a.path, a.status, a.client)))
           AS evidence
FROM judged j
JOIN uses b ON b.exchange_id = j.before_id AND b.session_id = j.session_id
JOIN uses a ON a.exchange_id = j.after_id AND a.session_id = j.session_id
GROUP BY j.session_id -- an exchange may do two things to a session
ORDER BY at, j.exchange_id;

-- Sessions that more than one program used.
SELECT site_id, shared_at / 900000000000 AS quarter, count(*) AS exercised
FROM program_facts
GROUP BY 1, 2;
