-- 2: the queue of open requests, call-backs taken by workers, who read what, the dispatcher's sign of life
CREATE TABLE odr_open (
    request_key VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL, since_us BIGINT NOT NULL,
    PRIMARY KEY (request_key));
INSERT INTO odr_open (request_key, state, since_us)
    SELECT step.request_key, step.state, step.at_us FROM odr_transition AS step
    WHERE step.ordinal = (SELECT max(ordinal) FROM odr_transition WHERE request_key = step.request_key)
    AND step.state IN ('requested', 'accepted', 'sent', 'answered');
CREATE TABLE odr_call_back (
    request_key VARCHAR(64) NOT NULL, content JSON NOT NULL, came_us BIGINT NOT NULL,
    PRIMARY KEY (request_key));
CREATE TABLE data_access (
    at_us BIGINT NOT NULL, username VARCHAR NOT NULL, duns VARCHAR(13) NOT NULL,
    esiid VARCHAR(22) NOT NULL, door VARCHAR(16) NOT NULL, what VARCHAR(16) NOT NULL,
    request_key VARCHAR(64) NOT NULL, trans_id VARCHAR NOT NULL);
CREATE INDEX data_access_of_esiid ON data_access (esiid, at_us);
CREATE TABLE dispatcher_sweep (id INTEGER NOT NULL, swept_us BIGINT NOT NULL, PRIMARY KEY (id));
CREATE TABLE token_key (
    name VARCHAR(16) NOT NULL, octets {blob} NOT NULL, PRIMARY KEY (name));

-- 3: the throttle's marks of buckets and breakers, how much a lease holds, counts as large as octets
ALTER TABLE throttle_lease ADD COLUMN amount BIGINT DEFAULT '1' NOT NULL;
CREATE TABLE throttle_mark (
    limit_name VARCHAR(64) NOT NULL, scope_value VARCHAR(64) NOT NULL,
    level BIGINT NOT NULL, as_of BIGINT NOT NULL, PRIMARY KEY (limit_name, scope_value));
ALTER TABLE throttle_window RENAME TO throttle_window_2;
CREATE TABLE throttle_window (
    limit_name VARCHAR(64) NOT NULL, scope_value VARCHAR(64) NOT NULL, window_start BIGINT NOT NULL,
    used BIGINT NOT NULL, held BIGINT NOT NULL, PRIMARY KEY (limit_name, scope_value, window_start));
INSERT INTO throttle_window (limit_name, scope_value, window_start, used, held)
    SELECT limit_name, scope_value, window_start, used, held FROM throttle_window_2;
DROP TABLE throttle_window_2;

-- 4: report files that were asked for
CREATE TABLE report_request (
    "key" VARCHAR(64) NOT NULL, username VARCHAR NOT NULL, trans_id VARCHAR NOT NULL, kind VARCHAR(32) NOT NULL,
    submitted_us BIGINT NOT NULL, ended_us BIGINT, file_name VARCHAR NOT NULL, error VARCHAR(32) NOT NULL,
    PRIMARY KEY ("key"));

-- 5: complaints, bad log-ins and portal tokens of several processes
CREATE TABLE complaint (
    number INTEGER NOT NULL, spec JSON NOT NULL, strikes BIGINT NOT NULL, lifted BOOLEAN NOT NULL,
    PRIMARY KEY (number));
CREATE TABLE login_fault (name_hash VARCHAR(64) NOT NULL, at_us BIGINT NOT NULL);
CREATE INDEX login_fault_of_name ON login_fault (name_hash, at_us);
CREATE TABLE portal_token (id VARCHAR(32) NOT NULL, used_us BIGINT NOT NULL, PRIMARY KEY (id));

-- 6: which posting a record came by, and the usage files that RORs are owed
ALTER TABLE interval_day ADD COLUMN ror VARCHAR(13);
ALTER TABLE interval_day ADD COLUMN posting SMALLINT DEFAULT '0' NOT NULL;
CREATE INDEX interval_day_of_file ON interval_day (file_name, posting);
CREATE TABLE usage_file (
    username VARCHAR(64) NOT NULL, name VARCHAR(80) NOT NULL, duns VARCHAR(13) NOT NULL,
    format VARCHAR(4) NOT NULL, source VARCHAR NOT NULL, posting SMALLINT NOT NULL,
    owed_at BIGINT NOT NULL, laid_at BIGINT, PRIMARY KEY (username, name));
CREATE INDEX usage_file_owed ON usage_file (laid_at);

-- 7: what the throttle's state belongs to
ALTER TABLE throttle_lease ADD COLUMN counted VARCHAR(16) DEFAULT '' NOT NULL;
CREATE TABLE throttle_limit (
    limit_name VARCHAR(64) NOT NULL, meaning VARCHAR(16) NOT NULL, PRIMARY KEY (limit_name));
INSERT INTO throttle_limit (limit_name, meaning) SELECT DISTINCT limit_name, '' FROM throttle_lease;

-- 8: what the dispatcher works by
CREATE TABLE dispatcher_terms (
    name VARCHAR(16) NOT NULL, value VARCHAR NOT NULL, told VARCHAR NOT NULL, PRIMARY KEY (name));

-- 9: what was found of requests and answers, and what tells an answer from another
ALTER TABLE odr_transition ADD COLUMN rule VARCHAR(32) DEFAULT '' NOT NULL;
ALTER TABLE odr_transition ADD COLUMN field VARCHAR(200) DEFAULT '' NOT NULL;
ALTER TABLE odr_transition ADD COLUMN value VARCHAR(200) DEFAULT '' NOT NULL;
ALTER TABLE odr_answer ADD COLUMN digest VARCHAR(16) DEFAULT '' NOT NULL;

-- 10: what happened to the files of the file site
CREATE TABLE file_event (
    "at" BIGINT NOT NULL, happened VARCHAR(16) NOT NULL, username VARCHAR(64) NOT NULL, name VARCHAR NOT NULL,
    sha256 VARCHAR(64) NOT NULL, octets BIGINT NOT NULL);
CREATE INDEX file_event_of_name ON file_event (username, name);
CREATE INDEX file_event_at ON file_event (happened, "at");
CREATE TABLE posting_refusal (
    "at" BIGINT NOT NULL, username VARCHAR(64) NOT NULL, name VARCHAR NOT NULL, esiid VARCHAR NOT NULL, channel VARCHAR NOT NULL,
    "day" VARCHAR NOT NULL, code VARCHAR(2) NOT NULL, "text" VARCHAR NOT NULL);
CREATE INDEX posting_refusal_of_name ON posting_refusal (username, name);

-- 11: postings that are being loaded
CREATE TABLE interval_loading (
    file_name VARCHAR NOT NULL, posting SMALLINT NOT NULL, PRIMARY KEY (file_name, posting));

-- 12: what sweeps collected, until its VEE data are there
CREATE TABLE non_vee_batch (
    sender VARCHAR(16) NOT NULL, batch_id VARCHAR(64) NOT NULL, digest VARCHAR(16) NOT NULL, came_at BIGINT NOT NULL, taken JSON NOT NULL,
    PRIMARY KEY (sender, batch_id));
CREATE TABLE non_vee_day (
    esiid VARCHAR(22) NOT NULL, "day" DATE NOT NULL, collected_at BIGINT NOT NULL, batch_id VARCHAR(64) NOT NULL, place INTEGER NOT NULL,
    intervals JSON NOT NULL, PRIMARY KEY (esiid, "day", collected_at, batch_id, place));

-- 13: the retailer of record that a request was counted under
ALTER TABLE odr_request ADD COLUMN ror VARCHAR(13) DEFAULT '' NOT NULL;
