#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_SCHEMA_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_SCHEMA_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/kv/postgres/postgres_connection.h"

// The tables, which `entrepotctl schema` makes and upgrades, and nothing else:
//   entrepot.records (k, v)     the records
//   entrepot.commits (id)       one row for each commit of the last hours, by which a lost answer is found out
//   entrepot.schema_version     one row
//
// A change of the tables raises kPostgresSchemaVersion. Programs of two versions run side by side during a roll-out, so
// a change first adds; what the older program needs goes in a later version. `readable_from` of the row is the oldest
// schema version whose programs still work with the tables.
namespace entrepot::kv {

// What this program needs. It works with later schemas whose readable_from is not above it.
inline constexpr int64_t kPostgresSchemaVersion = 1;

struct PostgresSchemaVersion {
  int64_t version;
  int64_t readable_from;
};

// nullopt if there are no tables.
absl::StatusOr<std::optional<PostgresSchemaVersion>> ReadPostgresSchema(PostgresConnection& connection);

// Makes all tables. kAlreadyExists if there are some.
absl::Status MakePostgresSchema(PostgresConnection& connection);

// Brings older tables to kPostgresSchemaVersion; OK if they have it. kFailedPrecondition if there are none, or newer
// ones.
absl::Status UpgradePostgresSchema(PostgresConnection& connection);

// OK if this program works with the tables. kFailedPrecondition with what to do otherwise.
absl::Status CheckPostgresSchema(PostgresConnection& connection);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_SCHEMA_H_
