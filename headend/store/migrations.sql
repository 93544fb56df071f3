-- 2: inquiries that were accepted, the latest sweep
CREATE TABLE inquiry (
    correlation_id VARCHAR(64) NOT NULL, request VARCHAR NOT NULL, accepted_at BIGINT NOT NULL,
    result VARCHAR NOT NULL, ended_at BIGINT, became VARCHAR(64) NOT NULL, PRIMARY KEY (correlation_id));
CREATE INDEX inquiry_ended ON inquiry (ended_at);
CREATE TABLE latest_sweep (id INTEGER NOT NULL, swept_at BIGINT, PRIMARY KEY (id));
