#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_OPEN_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_OPEN_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "rocksdb/options.h"
#include "rocksdb/utilities/transaction_db.h"

namespace entrepot::kv {

// A TransactionDB without two-phase commit: we prepare nothing, and with it RocksDB takes a compaction that finds the
// disk full for fatal, where it otherwise waits for room.
absl::StatusOr<std::unique_ptr<rocksdb::TransactionDB>> OpenTransactionDb(const rocksdb::Options& options,
                                                                          const std::string& directory);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_OPEN_H_
