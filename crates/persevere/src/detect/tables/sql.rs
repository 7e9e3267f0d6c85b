//! SQL: the states that PostgreSQL and others share, PostgreSQL's names for them, MySQL's numbers.
//!
//! Sources: PostgreSQL appendix A "Error codes" (its condition names are those of psycopg's
//! exceptions); MySQL "Server error message reference" and "Client error
//! message reference"; ISO/IEC 9075-2 table 38 (classes of SQLSTATE). Classes 08 (connection), 40
//! (transaction rollback), 53 (resources) and 57P (operator intervention) are retried, but
//! for disk full (53100), out of memory (53200) and a cancelled query (57014).

use super::Entry;
use crate::detect::evidence::Rank::{Code, Decisive, Vague};
use crate::provider::Provider::{Mysql, Postgres};
use crate::verdict::Kind::{
    Auth, Conflict, ExhaustedResource, Invalid, Network, NotFound, Other, Permission, Server,
    Throttle, Timeout, TransientIo, Unsupported,
};

/// By state; a class is the first two characters. The first that fits decides.
#[rustfmt::skip]
pub(in crate::detect) const STATES: &[Entry] = &[
    Entry::stop(Code, ExhaustedResource, "sql.disk_full",
        &["53100"]).answered(),
    Entry::stop(Code, ExhaustedResource, "sql.out_of_memory",
        &["53200"]).answered(),
    Entry::retry(Code, Throttle, "sql.too_many_connections",
        &["53300"]).answered().unprocessed(),
    Entry::retry(Code, Conflict, "sql.rollback",
        &["40001", "40P01", "40002", "40003"]).answered(),
    Entry::retry(Code, Conflict, "sql.lock_not_available",
        &["55P03", "55006"]).answered(),
    Entry::retry(Code, Server, "sql.shutdown",
        &["57P01", "57P02", "57P03", "57P05"]).answered(),
    Entry::stop(Code, Other, "sql.query_canceled",
        &["57014"]).answered(),
    Entry::retry(Code, Network, "sql.connection",
        &["08000", "08001", "08003", "08004", "08006", "08007", "08S01"]),
    Entry::stop(Code, Invalid, "sql.protocol_violation",
        &["08P01"]),
    Entry::stop(Code, Auth, "sql.authorization",
        &["28000", "28P01"]).answered(),
    Entry::stop(Code, Conflict, "sql.integrity",
        &["23000", "23502", "23503", "23505", "23514", "23P01"]).answered(),
    Entry::stop(Code, NotFound, "sql.undefined",
        &["42P01", "42703", "42883", "42S02", "42S22", "3D000", "3F000"]).answered(),
    Entry::stop(Code, Permission, "sql.privilege",
        &["42501", "25006"]).answered(),
    Entry::stop(Code, Conflict, "sql.duplicate",
        &["42P07", "42P04", "42701", "42710"]).answered(),
    Entry::stop(Code, Invalid, "sql.syntax",
        &["42601", "42000", "22001", "22003", "22007", "22012", "22P02", "22P05"]).answered(),
];

/// By class, where the state itself says nothing.
#[rustfmt::skip]
pub(in crate::detect) const CLASSES: &[Entry] = &[
    Entry::retry(Code, Network, "sql.connection",
        &["08"]),
    Entry::retry(Code, Conflict, "sql.rollback",
        &["40"]).answered(),
    Entry::retry(Code, TransientIo, "sql.resources",
        &["53"]).answered(),
    Entry::retry(Code, Server, "sql.system",
        &["58"]).answered(),
    Entry::stop(Code, Invalid, "sql.data",
        &["22"]).answered(),
    Entry::stop(Code, Conflict, "sql.integrity",
        &["23"]).answered(),
    Entry::stop(Code, Auth, "sql.authorization",
        &["28"]).answered(),
    Entry::stop(Code, Invalid, "sql.syntax",
        &["42"]).answered(),
    Entry::stop(Code, Unsupported, "sql.feature",
        &["0A"]).answered(),
    Entry::stop(Code, Invalid, "sql.limits",
        &["54"]).answered(),
];

#[rustfmt::skip]
pub(super) const CODES: &[Entry] = &[
    // PostgreSQL's condition names.
    Entry::retry(Code, Conflict, "postgres.rollback",
        &["deadlock detected", "serialization failure", "transaction rollback", "statement completion unknown", "could not serialize access"]).of(Postgres).answered().named(),
    Entry::retry(Code, Conflict, "postgres.lock_not_available",
        &["lock not available", "canceling statement due to lock timeout", "object in use", "being accessed by other users"]).of(Postgres).answered().named(),
    Entry::retry(Code, Server, "postgres.shutdown",
        &["cannot connect now", "admin shutdown", "crash shutdown", "the database system is", "terminating connection due to",
          "canceling statement due to conflict with recovery", "server conn crashed", "database dropped", "server login failed",
          "server_login_retry"]).of(Postgres).answered().named(),
    Entry::retry(Code, Throttle, "postgres.connections",
        &["sorry, too many clients already", "remaining connection slots are reserved", "too many connections for role",
          "too many connections for database", "no more connections allowed", "query_wait_timeout"]).of(Postgres).answered().unprocessed(),
    Entry::retry(Code, Timeout, "postgres.statement_timeout",
        &["canceling statement due to statement timeout", "idle in transaction session timeout", "canceling statement due to idle"]).of(Postgres).answered().named(),
    Entry::stop(Code, Auth, "postgres.authentication",
        &["no pg_hba.conf entry", "password authentication failed", "invalid authorization specification", "peer authentication failed",
          "ident authentication failed", "no password supplied", "fe_sendauth"]).of(Postgres).answered(),
    Entry::stop(Code, NotFound, "postgres.undefined",
        &["undefined table", "undefined column", "undefined function", "undefined object", "undefined file", "invalid catalog name",
          "invalid schema name", "undefined parameter"]).of(Postgres).answered().named(),
    Entry::stop(Code, Conflict, "postgres.integrity",
        &["unique violation", "foreign key violation", "not null violation", "check violation", "exclusion violation",
          "integrity constraint violation", "integrityerror", "violates foreign key", "violates not-null", "violates check", "duplicate table",
          "duplicate database", "duplicate column", "duplicate object", "dependent objects still exist", "other objects depend on it",
          "restrict violation"]).of(Postgres).answered().named(),
    Entry::stop(Code, Permission, "postgres.privilege",
        &["insufficient privilege", "must be owner of", "read only sql transaction", "in a read-only transaction"]).of(Postgres).answered().named(),
    Entry::stop(Code, Invalid, "postgres.invalid",
        &["invalid text representation", "invalid datetime format", "string data right truncation", "numeric value out of range",
          "datatype mismatch", "ambiguous column", "grouping error", "wrong object type", "in failed sql transaction",
          "current transaction is aborted", "invalid input syntax", "syntax error at or near", "programmingerror", "dataerror",
          "invalid connection option", "invalid dsn", "invalid uri query parameter"]).of(Postgres).answered().named(),
    Entry::stop(Vague, Invalid, "postgres.invalid",
        &["division by zero"]).of(Postgres).answered().named(),
    Entry::stop(Code, Unsupported, "postgres.unsupported",
        &["feature not supported", "server does not support ssl", "extension control file"]).of(Postgres).answered().named(),
    // MySQL and MariaDB, by number, in the forms in which its programs and drivers print it.
    Entry::retry(Code, Conflict, "mysql.conflict",
        &["1205", "1213", "3572"]).of(Mysql).answered().named(),
    Entry::retry(Code, Network, "mysql.connection",
        &["2002", "2003", "2006", "2013", "2055", "1053", "1927", "2012", "2027"]).of(Mysql).named(),
    Entry::retry(Code, Throttle, "mysql.connections",
        &["1040", "1203", "1226", "1161", "1158", "1159", "1160", "1129"]).of(Mysql).answered().unprocessed().named(),
    Entry::retry(Code, Network, "mysql.lost",
        &["mysql server has gone away", "lost connection to mysql", "lost connection to server", "can't connect to mysql", "can't connect to server",
          "can't connect to local", "connection was killed", "lock wait timeout exceeded", "try restarting transaction"]).of(Mysql),
    Entry::stop(Code, Auth, "mysql.auth",
        &["1045", "1044", "1698", "1130", "1251", "2059", "2061"]).of(Mysql).answered().named(),
    Entry::stop(Code, NotFound, "mysql.not_found",
        &["1049", "1146", "1054", "1051", "1091", "1305"]).of(Mysql).answered().named(),
    Entry::stop(Code, Conflict, "mysql.exists",
        &["1062", "1050", "1007", "1451", "1452", "1061", "1022", "1060"]).of(Mysql).answered().named(),
    Entry::stop(Code, Invalid, "mysql.invalid",
        &["1064", "1048", "1136", "1264", "1366", "1406", "1292", "1149", "1052", "1055", "1153", "1364", "1265", "2026", "3819"]).of(Mysql).answered().named(),
    Entry::stop(Code, Permission, "mysql.permission",
        &["1142", "1227", "1290", "1836", "1143", "1370"]).of(Mysql).answered().named(),
    Entry::stop(Decisive, ExhaustedResource, "mysql.full",
        &["1021", "1114", "1037", "1041"]).of(Mysql).answered().named(),
    Entry::stop(Code, Other, "mysql.interrupted",
        &["1317"]).of(Mysql).answered().named(),
];
