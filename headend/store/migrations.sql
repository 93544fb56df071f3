-- 2: inquiries that were accepted, the latest sweep
CREATE TABLE inquiry (
    correlation_id VARCHAR(64) NOT NULL, request VARCHAR NOT NULL, accepted_at BIGINT NOT NULL,
    result VARCHAR NOT NULL, ended_at BIGINT, became VARCHAR(64) NOT NULL, PRIMARY KEY (correlation_id));
CREATE INDEX inquiry_ended ON inquiry (ended_at);
CREATE TABLE latest_sweep (id INTEGER NOT NULL, swept_at BIGINT, PRIMARY KEY (id));

-- 3: the names under which days are being posted
CREATE TABLE posting_begun (
    name VARCHAR(64) NOT NULL, operating_day DATE NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (name));
