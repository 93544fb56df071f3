-- 2: inquiries that were accepted, the latest sweep
CREATE TABLE inquiry (
    correlation_id VARCHAR(64) NOT NULL, request VARCHAR NOT NULL, accepted_at BIGINT NOT NULL,
    result VARCHAR NOT NULL, ended_at BIGINT, became VARCHAR(64) NOT NULL, PRIMARY KEY (correlation_id));
CREATE INDEX inquiry_ended ON inquiry (ended_at);
CREATE TABLE latest_sweep (id INTEGER NOT NULL, swept_at BIGINT, PRIMARY KEY (id));

-- 3: the names under which days are being posted
CREATE TABLE posting_begun (
    name VARCHAR(64) NOT NULL, operating_day DATE NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (name));

-- 4: the number of the meter in what was collected and validated, of which older rows do not know it
ALTER TABLE interval_day RENAME TO interval_day_3;
CREATE TABLE interval_day (
    esiid VARCHAR(22) NOT NULL, channel SMALLINT NOT NULL, day_start BIGINT NOT NULL, meter_number VARCHAR(12) NOT NULL,
    wh {blob} NOT NULL, status {blob} NOT NULL, collected_at {blob} NOT NULL, flags {blob} NOT NULL,
    PRIMARY KEY (esiid, channel, day_start, meter_number));
INSERT INTO interval_day SELECT esiid, channel, day_start, '', wh, status, collected_at, flags FROM interval_day_3;
DROP TABLE interval_day_3;
ALTER TABLE midnight_register RENAME TO midnight_register_3;
CREATE TABLE midnight_register (
    esiid VARCHAR(22) NOT NULL, day_start BIGINT NOT NULL, meter_number VARCHAR(12) NOT NULL,
    delivered_wh BIGINT NOT NULL, received_wh BIGINT NOT NULL, PRIMARY KEY (esiid, day_start, meter_number));
INSERT INTO midnight_register SELECT esiid, day_start, '', delivered_wh, received_wh FROM midnight_register_3;
DROP TABLE midnight_register_3;
ALTER TABLE vee_day RENAME TO vee_day_3;
CREATE TABLE vee_day (
    esiid VARCHAR(22) NOT NULL, channel SMALLINT NOT NULL, day_start BIGINT NOT NULL, meter_number VARCHAR(12) NOT NULL,
    revision INTEGER NOT NULL, wh {blob} NOT NULL, status {blob} NOT NULL, method {blob} NOT NULL,
    flags {blob} NOT NULL, start_wh BIGINT, stop_wh BIGINT,
    PRIMARY KEY (esiid, channel, day_start, meter_number, revision));
INSERT INTO vee_day SELECT
    esiid, channel, day_start, '', revision, wh, status, method, flags, start_wh, stop_wh FROM vee_day_3;
DROP TABLE vee_day_3;
ALTER TABLE meter_answer RENAME TO meter_answer_3;
CREATE TABLE meter_answer (
    esiid VARCHAR(22) NOT NULL, at BIGINT NOT NULL, meter_number VARCHAR(12) NOT NULL,
    PRIMARY KEY (esiid, at, meter_number));
INSERT INTO meter_answer SELECT esiid, at, '' FROM meter_answer_3;
DROP TABLE meter_answer_3;

-- 5: how the collection of a meter's day stands
CREATE TABLE collection_state (
    esiid VARCHAR(22) NOT NULL, day_start BIGINT NOT NULL, meter_number VARCHAR(12) NOT NULL, attempts INTEGER NOT NULL,
    cause VARCHAR(16) NOT NULL, complete BOOLEAN NOT NULL, tried_at BIGINT, changed_at BIGINT,
    PRIMARY KEY (esiid, day_start, meter_number));
CREATE INDEX collection_state_day ON collection_state (day_start);

-- 6: the runs of VEE over a day
CREATE TABLE vee_run (
    operating_day DATE NOT NULL, run INTEGER NOT NULL, began_at BIGINT NOT NULL, posted_at BIGINT, esiids TEXT NOT NULL, report TEXT NOT NULL,
    PRIMARY KEY (operating_day, run));

-- 7: which part of which run a posted file is
ALTER TABLE posting_begun ADD COLUMN run INTEGER NOT NULL DEFAULT 1;
ALTER TABLE posting_begun ADD COLUMN part INTEGER NOT NULL DEFAULT 1;

-- 8: what meters' headers told by day, and what VEE found
CREATE TABLE meter_told (
    esiid VARCHAR(22) NOT NULL, day_start BIGINT NOT NULL, meter_number VARCHAR(12) NOT NULL, clock_error_s BIGINT NOT NULL,
    multiplier BIGINT NOT NULL, interval_s BIGINT NOT NULL, other_number VARCHAR(12) NOT NULL,
    PRIMARY KEY (esiid, day_start, meter_number));
CREATE TABLE vee_finding (
    day_start BIGINT NOT NULL, esiid VARCHAR(22) NOT NULL, meter_number VARCHAR(12) NOT NULL, ordinal INTEGER NOT NULL,
    rule VARCHAR(32) NOT NULL, channel SMALLINT NOT NULL, first SMALLINT NOT NULL, last SMALLINT NOT NULL,
    value BIGINT NOT NULL, held_to BIGINT NOT NULL, PRIMARY KEY (day_start, esiid, meter_number, ordinal));
CREATE INDEX vee_finding_esiid ON vee_finding (esiid);

-- 9: the dials that headers tell
ALTER TABLE meter_told ADD COLUMN dials SMALLINT NOT NULL DEFAULT 0;

-- 10: the runs of VEE in partitions, each posted in a file; what was being cut otherwise into several files is validated again
CREATE TABLE vee_partition (
    operating_day DATE NOT NULL, run INTEGER NOT NULL, part INTEGER NOT NULL, from_esiid VARCHAR(22) NOT NULL, to_esiid VARCHAR(22) NOT NULL,
    esiids TEXT NOT NULL, state VARCHAR(9) NOT NULL, began_at BIGINT NOT NULL, name VARCHAR(64) NOT NULL, created_at BIGINT, posted_at BIGINT,
    report TEXT NOT NULL, profiles {blob} NOT NULL, PRIMARY KEY (operating_day, run, part));
CREATE INDEX vee_partition_state ON vee_partition (state);
INSERT INTO vee_partition SELECT
    r.operating_day, r.run, 1, '', '', r.esiids, CASE WHEN r.posted_at IS NOT NULL THEN 'posted' WHEN b.name IS NOT NULL THEN 'named' ELSE 'validated' END,
    r.began_at, coalesce(b.name, ''), b.created_at, r.posted_at, r.report, CAST('' AS {blob})
    FROM vee_run r LEFT JOIN posting_begun b ON b.name = (
        SELECT max(x.name) FROM posting_begun x WHERE x.operating_day = r.operating_day AND x.run = r.run AND x.part = 1)
    WHERE r.posted_at IS NOT NULL OR r.run > 1 OR (b.name IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM posting_begun x WHERE x.operating_day = r.operating_day AND x.run = r.run AND x.part > 1));
DROP TABLE vee_run;
DROP TABLE posting_begun;

-- 11: which run of VEE gave a revision
ALTER TABLE vee_day ADD COLUMN run INTEGER NOT NULL DEFAULT 1;

-- 12: to where SMT has taken what sweeps collected
CREATE TABLE non_vee_pushed (esiid VARCHAR(22) NOT NULL, pushed_to BIGINT NOT NULL, PRIMARY KEY (esiid));
