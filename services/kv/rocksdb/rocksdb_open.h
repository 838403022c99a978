#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_OPEN_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_OPEN_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "rocksdb/env.h"
#include "rocksdb/listener.h"
#include "rocksdb/options.h"
#include "rocksdb/utilities/transaction_db.h"

namespace entrepot::kv {

// How many tables and blob files RocksDB keeps open at most.
inline constexpr int kRocksDbOpenFilesMax = 512;

// Opens a TransactionDB without two-phase commit. We prepare no transactions, and with two-phase commit RocksDB treats
// a compaction that finds the disk full as fatal, instead of waiting for room.
absl::StatusOr<std::unique_ptr<rocksdb::TransactionDB>> OpenTransactionDb(const rocksdb::Options& options,
                                                                          const std::string& directory);

// The settings of decisions/2026-11-24-rocksdb-settings.md, which gives the reason for each.
rocksdb::Options MakeRocksDbOptions(size_t memory_bytes_max, std::shared_ptr<rocksdb::EventListener> listener,
                                    std::shared_ptr<rocksdb::Logger> logger);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_OPEN_H_
