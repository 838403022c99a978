#include "services/kv/postgres/postgres_schema.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "services/kv/postgres/postgres_locks.h"
#include "services/kv/postgres/postgres_values.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

// Rows are found by their key alone. Values are stored as they are: most are small, and large ones compressed already.
// A page keeps room for updates in place, and dead rows are removed soon: the heads of queues are read again and again.
constexpr const char* kMake[] = {
    "CREATE SCHEMA IF NOT EXISTS entrepot",
    "CREATE TABLE entrepot.records (k bytea NOT NULL, v bytea NOT NULL, PRIMARY KEY (k)) WITH (fillfactor = 80, "
    "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, "
    "autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_vacuum_cost_delay = 0, "
    "autovacuum_analyze_scale_factor = 0.05)",
    "ALTER TABLE entrepot.records ALTER COLUMN k SET STORAGE PLAIN, ALTER COLUMN v SET STORAGE EXTERNAL",
    "CREATE TABLE entrepot.commits (id bytea NOT NULL, PRIMARY KEY (id)) WITH (autovacuum_vacuum_scale_factor = 0.05, "
    "autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0)",
    "CREATE TABLE entrepot.schema_version (version bigint NOT NULL, readable_from bigint NOT NULL, "
    "one boolean PRIMARY KEY DEFAULT true CHECK (one))",
    "INSERT INTO entrepot.schema_version (version, readable_from) VALUES (1, 1)",
};

PostgresStatement Sql(const char* sql) { return {.sql = sql}; }

// Two commands at once wait for each other.
std::string TakeLock() { return absl::StrCat("SELECT pg_advisory_xact_lock(", LockIdOf("entrepotctl schema"), ")"); }

absl::Status End(PostgresConnection& connection, absl::Status status) {
  absl::Status ended = connection.Run({{Sql(status.ok() ? "COMMIT" : "ROLLBACK")}}).status();
  return status.ok() ? ended : status;
}

absl::Status NoTables() {
  return absl::FailedPreconditionError("the database has no tables of the registry: run entrepotctl schema make");
}

absl::Status TooNew(const PostgresSchemaVersion& found) {
  return absl::FailedPreconditionError(absl::StrCat("the tables in the database have version ", found.version,
                                                    " and need programs that know version ", found.readable_from,
                                                    "; this program knows ", kPostgresSchemaVersion, ": upgrade it"));
}

}  // namespace

absl::StatusOr<std::optional<PostgresSchemaVersion>> ReadPostgresSchema(PostgresConnection& connection) {
  ASSIGN_OR_RETURN(const std::vector<PostgresRows> exists,
                   connection.Run({{Sql("SELECT to_regclass('entrepot.schema_version') IS NOT NULL")}}));
  if (exists[0].Bytes(0, 0) != absl::string_view("\1", 1)) return std::nullopt;
  ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows,
                   connection.Run({{Sql("SELECT version, readable_from FROM entrepot.schema_version")}}));
  if (rows[0].size() != 1) return absl::DataLossError("entrepot.schema_version must have one row");
  return PostgresSchemaVersion{ParseBinaryInt64(rows[0].Bytes(0, 0)), ParseBinaryInt64(rows[0].Bytes(0, 1))};
}

absl::Status MakePostgresSchema(PostgresConnection& connection) {
  RETURN_IF_ERROR(connection.Run({{Sql("BEGIN"), {.sql = TakeLock()}}}).status());
  return End(connection, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<PostgresSchemaVersion> found, ReadPostgresSchema(connection));
    if (found.has_value()) {
      return absl::AlreadyExistsError(absl::StrCat("the database has tables of version ", found->version));
    }
    for (const char* sql : kMake) RETURN_IF_ERROR(connection.Run({{Sql(sql)}}).status());
    return absl::OkStatus();
  }());
}

absl::Status UpgradePostgresSchema(PostgresConnection& connection) {
  ASSIGN_OR_RETURN(const std::optional<PostgresSchemaVersion> found, ReadPostgresSchema(connection));
  if (!found.has_value()) return NoTables();
  if (found->version > kPostgresSchemaVersion) return TooNew(*found);
  // The first version: there is none before it.
  return CheckPostgresSchema(connection);
}

absl::Status CheckPostgresSchema(PostgresConnection& connection) {
  ASSIGN_OR_RETURN(const std::optional<PostgresSchemaVersion> found, ReadPostgresSchema(connection));
  if (!found.has_value()) return NoTables();
  if (found->version < kPostgresSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the tables in the database have version ", found->version,
                                                      ", and this program needs ", kPostgresSchemaVersion,
                                                      ": run entrepotctl schema upgrade"));
  }
  if (found->readable_from > kPostgresSchemaVersion) return TooNew(*found);
  return absl::OkStatus();
}

}  // namespace entrepot::kv
