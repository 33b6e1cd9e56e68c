-- store/schema.sql - the database. Every column: unit and meaning. Rules read the views (views.sql);
-- the tables are the store's own.
--
-- Conventions: times are integer nanoseconds since 1970-01-01 UTC on the capture clock, NULL: not
-- seen. Booleans are 0 or 1. "hash" is a keyed hash (libsodium generichash under the database's
-- key), so no token and no password is in here. Numbers of enumerations are those of the C headers
-- named; they are never renumbered. Ids of exchanges grow in order of import; ids of operations and
-- token uses follow from them, so the big tables need no second key.

-- What is true of the whole database.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,  -- key: the 32 random bytes of the hash, absent where --key-file gives it
                             -- key_check: hash of a constant, tells another key
                             -- views: digest of the text the views were made from
                             -- import: number of the last import that stored something
                             -- pruned_before: time before which exchanges were let go
                             -- parameter:SLUG.NAME: parameters of rules as of their last run
    value ANY                -- as the name says
) STRICT, WITHOUT ROWID;

-- A file (or standard input) that was read.
CREATE TABLE captures (
    id             INTEGER PRIMARY KEY,
    import         INTEGER NOT NULL, -- number of the import that read it
    path           TEXT NOT NULL,    -- as given; "-" is standard input
    is_pcapng      INTEGER NOT NULL DEFAULT 0, -- boolean; 0: pcap
    packing        INTEGER NOT NULL DEFAULT 0, -- capture/unpack.h: 0 none, 1 gzip, 2 zstd, 3 lz4
    has_nanoseconds INTEGER NOT NULL DEFAULT 0,-- boolean; 0: times are in microseconds
    time_source    INTEGER NOT NULL DEFAULT 0, -- capture/source.h: 0 unknown (a file does not tell), 1 host
    link_type      INTEGER NOT NULL DEFAULT 0, -- LINKTYPE_ number of the first interface
    link_name      TEXT NOT NULL DEFAULT '',   -- its name: EN10MB, LINUX_SLL2
    size_bytes     INTEGER NOT NULL DEFAULT 0, -- bytes of the file; 0: unknown (a pipe)
    exchanges      INTEGER NOT NULL DEFAULT 0, -- stored exchanges whose first byte it holds
    frames         INTEGER NOT NULL DEFAULT 0, -- frames read
    frame_bytes    INTEGER NOT NULL DEFAULT 0, -- captured bytes of all frames
    cut_frames     INTEGER NOT NULL DEFAULT 0, -- frames shorter than on the wire (snap length)
    dropped_frames INTEGER NOT NULL DEFAULT 0, -- frames that kernel or interface dropped, as the file says
    first_at       INTEGER,          -- time of the earliest frame; NULL: no frame
    last_at        INTEGER,          -- time of the latest frame
    clock_doubt    INTEGER NOT NULL DEFAULT 0, -- ns; the largest step back of time in the file; how long
                                     -- an ACK came before its bytes; how far captures that have
                                     -- packets in common are apart
    comments       TEXT,             -- of a pcapng file's sections, interfaces and frames; NULL: none
    head           BLOB,             -- 16 bytes: digest of its first frames, whatever they are packed in; NULL: no frame
    error          INTEGER NOT NULL DEFAULT 0, -- negative errno that ended it; 0: read to its end
    error_text     TEXT              -- what that was, for people; NULL without error
) STRICT;

-- A server as clients name it.
CREATE TABLE sites (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,        -- Host, lower case, default port dropped; or address:port
    is_changed  INTEGER NOT NULL DEFAULT 1,  -- boolean; exchanges came or went since the last analysis
    is_analysed INTEGER NOT NULL DEFAULT 0,  -- boolean; the tables of the analysis have rows of it
    is_rule_due INTEGER NOT NULL DEFAULT 0   -- boolean; analysed since the last run of the rules
) STRICT;

-- Method and path template at a site, with the evidence whether it is protected.
CREATE TABLE endpoints (
    id              INTEGER PRIMARY KEY,
    site_id         INTEGER NOT NULL REFERENCES sites (id),
    method          TEXT NOT NULL,
    path            TEXT NOT NULL,              -- template: /users/{id}
    protection      INTEGER NOT NULL DEFAULT 0, -- session/endpoint.h: 0 unknown, 1 protected, 2 public
    declared        INTEGER NOT NULL DEFAULT 0, -- the profile says: 1 protected, -1 public, 0 nothing
    granted_live    INTEGER NOT NULL DEFAULT 0, -- exchanges granted to a session that was live
    granted_without INTEGER NOT NULL DEFAULT 0, -- exchanges granted without any token
    denied_without  INTEGER NOT NULL DEFAULT 0, -- exchanges denied where no session was live
    denied_other    INTEGER NOT NULL DEFAULT 0, -- other denials
    sessions_often  INTEGER NOT NULL DEFAULT 0, -- sessions that it granted or denied at least three times
    granted_live_exchange_id    INTEGER,        -- an example: exchanges.id; NULL none
    granted_without_exchange_id INTEGER,        -- an example: exchanges.id; NULL none
    denied_without_exchange_id  INTEGER,        -- an example: exchanges.id; NULL none
    UNIQUE (site_id, method, path)
) STRICT;

-- A TCP connection that carried an exchange, or lost something, or on which nobody said anything until
-- its server closed it.
CREATE TABLE streams (
    id               INTEGER PRIMARY KEY,
    capture_id       INTEGER NOT NULL REFERENCES captures (id), -- of its first frame
    stream           INTEGER NOT NULL, -- its number in that capture, as Wireshark's tcp.stream
    client           TEXT NOT NULL,    -- IP address of the side that sends requests
    client_port      INTEGER NOT NULL,
    server           TEXT NOT NULL,    -- IP address
    server_port      INTEGER NOT NULL,
    first_frame      INTEGER NOT NULL, -- number of its first frame in the capture
    first_at         INTEGER NOT NULL, -- time of its first frame
    last_at          INTEGER NOT NULL, -- time of its last frame
    client_opened    INTEGER NOT NULL, -- boolean; the client sent the SYN, as far as known
    is_midstream     INTEGER NOT NULL, -- boolean; its beginning was not captured
    end              INTEGER NOT NULL, -- tcp/conn.h tcp_end: 0 open, 1 fin, 2 rst, 3 timeout, 4 evicted, 5 reused
    client_one_sided INTEGER NOT NULL, -- boolean; no segment of the client was captured
    server_one_sided INTEGER NOT NULL, -- boolean; no segment of the server was captured
    client_frames    INTEGER NOT NULL, -- frames the client sent
    server_frames    INTEGER NOT NULL,
    client_bytes     INTEGER NOT NULL, -- stream bytes the client sent, without retransmissions
    server_bytes     INTEGER NOT NULL,
    client_gap_bytes INTEGER NOT NULL, -- bytes of the client that are missing
    server_gap_bytes INTEGER NOT NULL,
    client_fin_at    INTEGER,          -- time of the FIN that the client sent; NULL none
    server_fin_at    INTEGER,
    client_rst_at    INTEGER,          -- time of the RST that the client sent; NULL none
    server_rst_at    INTEGER,
    server_end_frame INTEGER,          -- frame of the server's FIN or RST, whichever came first
    begin_numbers    INTEGER,          -- SEQ of the first byte: client's << 32 | server's; NULL unknown
    end_numbers      INTEGER,          -- the same of the bytes that would have come next: tells where another
                                       -- capture goes on with this connection
    client_network   TEXT NOT NULL     -- the client's: 198.51.100.0/24, 2001:db8:1:2::/64
) STRICT;

-- Connection attempts that a server refused: it answered the SYN with a RST. Added up by tenths of
-- seconds, for a server that is down refuses without end.
CREATE TABLE refusals (
    server      TEXT NOT NULL,    -- IP address
    server_port INTEGER NOT NULL,
    slot        INTEGER NOT NULL, -- tenths of seconds since 1970-01-01 UTC
    import      INTEGER NOT NULL, -- number of the import that changed it last
    first_at    INTEGER NOT NULL, -- time of the first RST in the slot
    last_at     INTEGER NOT NULL, -- time of the last one
    attempts    INTEGER NOT NULL, -- how many
    PRIMARY KEY (server, server_port, slot, import)
) STRICT, WITHOUT ROWID;

-- A request and its final response: facts only, written once. What they mean: operations.
CREATE TABLE exchanges (
    id                  INTEGER PRIMARY KEY,
    site_id             INTEGER NOT NULL REFERENCES sites (id),
    endpoint_id         INTEGER REFERENCES endpoints (id), -- NULL without a request
    stream_id           INTEGER NOT NULL REFERENCES streams (id),
    ordinal             INTEGER NOT NULL, -- from 0 in its connection, in order of requests
    request_capture_id  INTEGER REFERENCES captures (id), -- that holds its first byte; NULL without a request
    response_capture_id INTEGER REFERENCES captures (id), -- NULL without a response
    request_frame       INTEGER,          -- frame that holds the first byte
    response_frame      INTEGER,
    request_at          INTEGER,          -- time of the first byte
    request_end_at      INTEGER,          -- time of the last byte
    response_at         INTEGER,          -- time of the first byte of the final response
    response_end_at     INTEGER,
    method              TEXT,             -- escaped; NULL: the request was not captured
    target              TEXT,             -- redacted and escaped
    host                TEXT,             -- Host field as sent; NULL: none, or host_is_site
    host_is_site        INTEGER NOT NULL, -- boolean; the Host field is the site's name, byte for byte
    version             INTEGER,          -- of the request: 9, 10, 11
    status              INTEGER,          -- NULL: no response
    request_bytes       INTEGER,          -- content bytes as on the wire; NULL without a request
    response_bytes      INTEGER,          -- content bytes as on the wire; NULL without a response
    state               INTEGER NOT NULL, -- http/exchange.h http_state: 0 complete, 1 no-response,
                                          -- 2 request-truncated, 3 response-truncated, 4 gap,
                                          -- 5 aborted-by-client, 6 aborted-by-server
    flags               INTEGER NOT NULL, -- session/facts.h FACT_*; 1 << 24 loss, 1 << 26 resynchronised
    shape               INTEGER NOT NULL, -- hash of the response's status class, type and structure; of a page with a
                                          -- login form: of the path that this posts to
    location            TEXT,             -- redirect target, redacted and escaped
    location_path       TEXT,             -- its path if it leads to the same site
    user_id             INTEGER REFERENCES users (id), -- the user that the request names
    replica             TEXT,             -- which server process answered, as Via and the like say
    agent               INTEGER,          -- twice a 31-bit hash of the User-Agent (0: none), odd where the
                                          -- request came through a proxy; NULL without a request
    request_hash        INTEGER           -- keyed: equal where method, target, content and what bears on
                                          -- the answer are; NULL: no content, or not whole
) STRICT;

-- Where a token travels at a site: a cookie, a field, a parameter.
CREATE TABLE carriers (
    id         INTEGER PRIMARY KEY,
    site_id    INTEGER NOT NULL REFERENCES sites (id),
    kind       INTEGER NOT NULL, -- session/facts.h token_carrier: 1 cookie, 2 bearer, 3 header, 4 query,
                                 -- 5 form, 6 JSON, 7 path, 8 user name in the query
    name       TEXT NOT NULL,    -- of the cookie, field or parameter
    is_session INTEGER NOT NULL DEFAULT 0, -- boolean; the model says that it carries the session
    opens      INTEGER NOT NULL DEFAULT 0, -- boolean; ... that it opens sessions by itself: remember-me
    UNIQUE (site_id, kind, name)
) STRICT;

-- A value of a carrier: one token, of a session or of something else (see carriers.is_session).
CREATE TABLE sessions (
    id                   INTEGER PRIMARY KEY,
    carrier_id           INTEGER NOT NULL REFERENCES carriers (id),
    hash                 BLOB NOT NULL,  -- 16 bytes
    name_digits          INTEGER NOT NULL DEFAULT 8, -- hexadecimal digits that tell its name from the others'
    name                 TEXT GENERATED ALWAYS AS ('s-' || lower(substr(hex(hash), 1, name_digits))) VIRTUAL,
    is_jwt               INTEGER NOT NULL DEFAULT 0, -- boolean; has the shape of a self-contained token
    user_id              INTEGER REFERENCES users (id), -- bound by its first login; NULL none
    user_since           INTEGER,        -- start of that login
    order_state          INTEGER NOT NULL DEFAULT 0, -- store/write.h session_order: 0 not checked,
                                         -- 1 explained, 2 contradicted, 3 weak, 4 unknown
    witness_operation_id INTEGER,        -- operations.id at which no order was left; NULL none
    has_programs         INTEGER NOT NULL DEFAULT 0 -- boolean; several programs (User-Agents) were granted
                                         -- something with it, none of them through a proxy
) STRICT;
CREATE UNIQUE INDEX sessions_by_hash ON sessions (carrier_id, hash);

CREATE TABLE users (
    id      INTEGER PRIMARY KEY,
    site_id INTEGER NOT NULL REFERENCES sites (id),
    name    TEXT NOT NULL, -- as the request gave it, escaped; ~ and 16 hexadecimal digits of its hash
                           -- where nobody of that name was let in
    UNIQUE (site_id, name)
) STRICT;

-- One carrier's part in one exchange.
CREATE TABLE token_uses (
    id          INTEGER PRIMARY KEY, -- exchange_id * 16 + its place in the exchange
    exchange_id INTEGER GENERATED ALWAYS AS (id >> 4) VIRTUAL,
    carrier_id  INTEGER NOT NULL REFERENCES carriers (id),
    sent_id     INTEGER REFERENCES sessions (id), -- token that the request carried
    set_id      INTEGER REFERENCES sessions (id), -- token that the response gave; = sent_id: a refresh
    flags       INTEGER NOT NULL,    -- session/facts.h TOKEN_*: 1 sent, 2 set, 4 deleted, 8 in the body,
                                     -- 16 HttpOnly, 32 Secure, 64 random-looking, 128 JWT, 256 set twice,
                                     -- 16 to 23: a hash of domain and path of the cookie that was set
    lifetime_s  INTEGER              -- seconds that the response declared for it; NULL: not said
) STRICT;

-- What few exchanges have and rules look for: odd bytes of an answer, a request id, a name.
CREATE TABLE marks (
    id          INTEGER PRIMARY KEY, -- exchange_id * 32 + its place in the exchange
    exchange_id INTEGER GENERATED ALWAYS AS (id >> 5) VIRTUAL,
    kind        INTEGER NOT NULL,    -- session/facts.h mark_kind
    value       INTEGER,             -- the beginning of a hash, or a number, as the kind says; NULL none
    text        TEXT                 -- as the kind says, escaped; NULL none
) STRICT;
CREATE INDEX marks_by_value ON marks (kind, value);

-- What an exchange means. Place 0 exists for every exchange of an analysed site and has its role and
-- outcome; places 1 to 7 are further operations on other sessions and have neither.
CREATE TABLE operations (
    id                INTEGER PRIMARY KEY, -- exchange_id * 8 + place
    exchange_id       INTEGER GENERATED ALWAYS AS (id >> 3) VIRTUAL,
    endpoint_id       INTEGER REFERENCES endpoints (id), -- as the exchange's
    role              INTEGER,  -- session/model.h: 0 other, 1 login, 2 logout, 3 access, 4 static
    outcome           INTEGER,  -- session/model.h: 0 none, 1 success, 2 failure, 3 granted, 4 denied, 5 error
    session_id        INTEGER REFERENCES sessions (id), -- that it is about; NULL: none
    user_id           INTEGER REFERENCES users (id),    -- named by a login; NULL: none
    had_token         INTEGER,  -- boolean; the request carried a token of a session carrier
    may_be_denial     INTEGER,  -- boolean; denied for lack of a session as the model sees it
    missing_token     INTEGER,  -- boolean; a login like the successful ones without its token
    kind              INTEGER,  -- session/model.h operation_kind: 0 says nothing, 1 login, 2 possible login,
                                -- 3 issued, 4 refresh, 5 granted, 6 denied, 7 logout, 8 possible logout,
                                -- 9 replaced, 10 opened, 11 rotated; NULL: does nothing to any session
    start_at          INTEGER,  -- time: the interval in which the server decided; NULL with kind
    end_at            INTEGER,  -- NULL: no response
    issues            INTEGER,  -- boolean; this exchange issued the token: absent before it
    understood        INTEGER,  -- boolean; 0: a possible login that is only not understood
    agent             INTEGER,  -- as the exchange's, for the index by session
    ended_by_id       INTEGER,  -- operations.id: of a grant, the acknowledged logout before it with no
                                -- login that could fit between
    granted_before_id INTEGER,  -- operations.id: of a denial, the grant before it ...
    granted_after_id  INTEGER,  -- ... and the one after it, with no login that could fit
    doubts            INTEGER,  -- store/write.h DOUBT_*: 1 only with exact clocks, 2 only without the
                                -- possible login doubt_operation_id
    doubt_operation_id INTEGER  -- operations.id
) STRICT;
-- Covers what the order check reads: the rows themselves lie scattered in order of exchanges.
CREATE INDEX operations_by_session ON operations (session_id, start_at, kind, end_at, endpoint_id,
    role, issues, understood, agent) WHERE session_id IS NOT NULL;
-- In order of exchanges, as what is then read of each login lies.
CREATE INDEX operations_of_logins ON operations (role) WHERE role = 1;
-- Covers what rules ask of every logout; a column that is not in an index is not covered, the constant one too.
CREATE INDEX operations_ending ON operations (session_id, start_at, end_at, endpoint_id, kind) WHERE kind = 7;
CREATE INDEX operations_rotating ON operations (session_id) WHERE kind = 11;
CREATE INDEX operations_of_logouts ON operations (role) WHERE role = 2;
CREATE INDEX operations_ended ON operations (ended_by_id) WHERE ended_by_id IS NOT NULL;
CREATE INDEX operations_flapped ON operations (granted_before_id) WHERE granted_before_id IS NOT NULL;
CREATE INDEX operations_denied ON operations (endpoint_id) WHERE outcome = 4;
-- Not there after a first import in which every site has a quarter of the exchanges.
CREATE INDEX exchanges_by_site ON exchanges (site_id);
-- What broken_facts shows.
CREATE INDEX exchanges_broken ON exchanges (site_id) WHERE state != 0 OR method IS NULL;
-- Covers what is counted of requests that are alike.
CREATE INDEX exchanges_alike ON exchanges (site_id, request_hash, response_at, status, method)
    WHERE request_hash IS NOT NULL;

-- What was learned of a site, so that the next import need not go through all exchanges again. Not
-- there where exchanges went or changed since, nor while a watch keeps it in memory.
CREATE TABLE learning (
    site_id       INTEGER PRIMARY KEY REFERENCES sites (id),
    learned_by    TEXT NOT NULL,    -- digest of what learned it: another program learns anew
    last_exchange INTEGER NOT NULL, -- exchanges.id: the last one that it knows
    exchanges     INTEGER NOT NULL, -- how many it knows
    learned       BLOB NOT NULL,    -- session/saved.c
    examples      BLOB NOT NULL     -- exchanges.id, eight bytes each, the lowest first: one of each kind
) STRICT;

-- What was assumed about a site, and why.
CREATE TABLE decisions (
    id           INTEGER PRIMARY KEY,
    site_id      INTEGER NOT NULL REFERENCES sites (id),
    what         TEXT NOT NULL,    -- session, login, logout, opens a session, user, public, not a session, policy
    value        TEXT NOT NULL,    -- cookie session_id; POST /login
    reason       TEXT NOT NULL,    -- the observations behind it
    from_profile INTEGER NOT NULL  -- boolean; a person said so
) STRICT;
CREATE INDEX decisions_by_site ON decisions (site_id);

-- The heat map: responses of an endpoint by time.
CREATE TABLE endpoint_status (
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    quarter     INTEGER NOT NULL,  -- quarter hours since 1970-01-01 UTC, by the request
    status      INTEGER NOT NULL,  -- 0: no response
    exchanges   INTEGER NOT NULL,  -- how many
    PRIMARY KEY (endpoint_id, quarter, status)
) STRICT, WITHOUT ROWID;

-- Of endpoints.sessions_often: when it granted or denied something to a session for the third time.
CREATE TABLE endpoint_often (
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    quarter     INTEGER NOT NULL,  -- quarter hours since 1970-01-01 UTC, by the third request
    sessions    INTEGER NOT NULL,  -- how many
    PRIMARY KEY (endpoint_id, quarter)
) STRICT, WITHOUT ROWID;

CREATE TABLE login_counts (
    site_id   INTEGER NOT NULL REFERENCES sites (id),
    quarter   INTEGER NOT NULL,    -- quarter hours since 1970-01-01 UTC, by the request
    outcome   INTEGER NOT NULL,    -- session/model.h session_outcome
    has_token INTEGER NOT NULL,    -- boolean; the response gave a token of a carrier
    logins    INTEGER NOT NULL,    -- how many
    PRIMARY KEY (site_id, quarter, outcome, has_token)
) STRICT, WITHOUT ROWID;

-- What could not be seen.
CREATE TABLE loss (
    id              INTEGER PRIMARY KEY,
    kind            INTEGER NOT NULL, -- store/write.h loss_kind: 1 gap, 2 midstream, 3 one-sided, 4 snap
                                      -- length, 5 dropped, 6 bound, 7 undecoded, 8 TLS, 9 HTTP/2,
                                      -- 10 not HTTP, 11 capture cut, 12 ambiguous, 13 shed, 14 clock set
    capture_id      INTEGER NOT NULL REFERENCES captures (id),
    stream_id       INTEGER REFERENCES streams (id), -- NULL: the whole capture
    from_at         INTEGER,          -- time: what happened from then ... NULL: since ever
    to_at           INTEGER,          -- ... to then may be hidden; NULL: for ever
    server          TEXT,             -- IP address whose answers are concerned; NULL: all
    server_port     INTEGER,
    bytes           INTEGER NOT NULL, -- bytes that are missing; 0 where unknown
    count           INTEGER NOT NULL, -- frames, gaps, connections, as the kind says
    hides_exchanges INTEGER NOT NULL  -- boolean; whole exchanges may be missing
) STRICT;
CREATE INDEX loss_by_server ON loss (server, server_port, from_at);
CREATE INDEX loss_by_stream ON loss (stream_id, server, server_port);

-- When something may be hidden: the union of the losses of a server that hide exchanges. No two spans of a
-- server touch.
CREATE TABLE loss_spans (
    id          INTEGER PRIMARY KEY,
    server      TEXT,             -- as in loss; NULL: all
    server_port INTEGER,
    from_at     INTEGER NOT NULL, -- time; the least number: since ever
    to_at       INTEGER NOT NULL  -- time; the greatest number: for ever
) STRICT;
CREATE INDEX loss_spans_by_server ON loss_spans (server, server_port, from_at, to_at);

-- Results of the rules. Found again by the fingerprint; kept with the time when no longer yielded.
CREATE TABLE findings (
    id             INTEGER PRIMARY KEY,
    rule           TEXT NOT NULL,    -- slug
    severity       TEXT NOT NULL,    -- low, medium, high, critical
    verdict        TEXT NOT NULL,    -- proven, contradiction, suspect
    at             INTEGER NOT NULL, -- time: request_at of its exchange, or the first cut
    site_id        INTEGER REFERENCES sites (id),
    session_id     INTEGER REFERENCES sessions (id),
    exchange_id    INTEGER REFERENCES exchanges (id),
    summary        TEXT NOT NULL,    -- one line for people
    explanation    TEXT NOT NULL,    -- what it means, from the rule
    caveats        TEXT NOT NULL,    -- JSON array of strings
    fingerprint    TEXT NOT NULL,    -- 32 hexadecimal digits: this occurrence
    group_key      TEXT NOT NULL,    -- 32 hexadecimal digits: this problem
    first_import   INTEGER NOT NULL, -- number of the import whose rules yielded it first
    changed_import INTEGER NOT NULL, -- ... that changed its verdict or text last, or brought it back
    withdrawn_at   INTEGER,          -- time of the packets when it was no longer yielded; NULL: it stands
    is_put         INTEGER NOT NULL DEFAULT 0 -- boolean; yielded by the run going on
) STRICT;
CREATE UNIQUE INDEX findings_by_fingerprint ON findings (fingerprint);
CREATE INDEX findings_by_rule ON findings (rule, site_id);
CREATE INDEX findings_by_change ON findings (changed_import);

-- What is left of findings that were let go: later days are still compared with theirs. Problem by
-- problem and quarter hour, for 400 days.
CREATE TABLE past_findings (
    group_key  TEXT NOT NULL,    -- as of findings
    quarter    INTEGER NOT NULL, -- quarter hours since 1970-01-01 UTC, by `at`
    rule       TEXT NOT NULL,    -- slug
    severity   TEXT NOT NULL,    -- low, medium, high, critical
    verdict    TEXT NOT NULL,    -- proven, contradiction, suspect: of the first of them
    site       TEXT,             -- its name; NULL: none
    endpoint   TEXT,             -- method and path template; NULL: none
    suppressed INTEGER NOT NULL, -- boolean; all of them were, then
    findings   INTEGER NOT NULL, -- how many
    first_at   INTEGER NOT NULL, -- time: `at` of the first of them
    last_at    INTEGER NOT NULL, -- ... and of the last one
    PRIMARY KEY (group_key, quarter)
) STRICT, WITHOUT ROWID;

-- What is left of exchanges that were let go: the trend still shows those days. For 31 days before
-- meta.pruned_before.
CREATE TABLE past_traffic (
    site      TEXT NOT NULL,    -- its name
    quarter   INTEGER NOT NULL, -- quarter hours since 1970-01-01 UTC, by the request
    exchanges INTEGER NOT NULL, -- how many, with a request
    PRIMARY KEY (site, quarter)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding_evidence (
    finding_id  INTEGER NOT NULL REFERENCES findings (id),
    position    INTEGER NOT NULL,  -- from 0, in the order of the story
    role        TEXT NOT NULL,     -- login, logout, access, denial
    exchange_id INTEGER REFERENCES exchanges (id),
    text        TEXT,              -- for people
    PRIMARY KEY (finding_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_evidence_by_exchange ON finding_evidence (exchange_id);

-- What watch has said of a finding.
CREATE TABLE alerts (
    finding_id INTEGER PRIMARY KEY REFERENCES findings (id),
    verdict    TEXT,              -- that was said last; NULL: none yet
    is_held    INTEGER NOT NULL,  -- boolean; it says less than the finding does: what is under way could
                                  -- still explain it
    count      INTEGER NOT NULL,  -- times that it was found anew since it was said last, and that one
    said_at    INTEGER            -- time by the machine's clock; NULL: never
) STRICT;
CREATE INDEX alerts_held ON alerts (finding_id) WHERE is_held;

-- Alerts on their way: a row for each and each place it goes to, until it has come there.
CREATE TABLE alert_queue (
    id        INTEGER PRIMARY KEY, -- in the order in which they were said
    sink      TEXT NOT NULL,       -- where to, as --alert says
    body      TEXT NOT NULL,       -- JSON, one line
    queued_at INTEGER NOT NULL     -- time by the machine's clock
) STRICT;

-- Findings that a person has accepted: the file given to the last audit that was given one.
CREATE TABLE suppressions (
    id          INTEGER PRIMARY KEY, -- in order of the file; the first that applies counts
    place       TEXT NOT NULL DEFAULT '', -- file:line that says so
    fingerprint TEXT,           -- one occurrence, or
    group_key   TEXT,           -- one problem, or
    rule        TEXT,           -- all findings that fit four patterns of GLOB: slug,
    site        TEXT,           -- name of the site,
    method      TEXT,           -- and of the endpoint; empty where the finding has none
    path        TEXT,           -- path template
    reason      TEXT NOT NULL,
    owner       TEXT NOT NULL,  -- who answers for it
    expires_at  INTEGER         -- time; a finding at or after it is reported again; NULL: never
) STRICT;

-- How often the situation of a rule occurred.
CREATE TABLE rule_runs (
    rule      TEXT NOT NULL,    -- slug
    site_id   INTEGER NOT NULL, -- sites.id; 0: all sites together
    exercised INTEGER NOT NULL, -- occurrences of its situation
    PRIMARY KEY (rule, site_id)
) STRICT, WITHOUT ROWID;

-- The same by time, of rules that tell it: they add up to rule_runs.
CREATE TABLE rule_quarters (
    rule      TEXT NOT NULL,    -- slug
    site_id   INTEGER NOT NULL, -- sites.id
    quarter   INTEGER NOT NULL, -- quarter hours since 1970-01-01 UTC, as the rule says
    exercised INTEGER NOT NULL, -- occurrences of its situation
    PRIMARY KEY (rule, site_id, quarter)
) STRICT, WITHOUT ROWID;
