#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_START_CHECKS_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_START_CHECKS_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/kv/postgres/postgres_connection.h"

namespace entrepot::kv {

// Proves what the engine relies on, with three connections: the version, that nothing acknowledged is lost in a crash,
// the isolation of transactions, the tables and rights, and that the locks exclude as they must. kFailedPrecondition,
// in a sentence for the operator, if the database is not fit. Warns through `log`, which may be empty, of what may lose
// data in a failover or run short of locks. Returns how many locks all transactions of the server may hold at once.
absl::StatusOr<int64_t> CheckPostgresAtStart(const PostgresAddress& address,
                                             const std::function<void(absl::string_view)>& log);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_START_CHECKS_H_
