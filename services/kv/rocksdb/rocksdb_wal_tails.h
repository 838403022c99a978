#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_TAILS_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_TAILS_H_

#include <string>

#include "absl/status/status.h"

namespace entrepot::kv {

// Cuts what a power cut left of a record from the end of the last of the write-ahead logs (*.log) of a RocksDB
// directory that is not open; see wal_end.h. RocksDB then may, and does, take every incomplete record for damage.
//
// kDataLoss: a log is damaged, or a torn one is followed by another that has records; the message names file and
// offset, and nothing is changed. kUnavailable: a file cannot be read or cut.
absl::Status CutTornWalTails(const std::string& directory);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_TAILS_H_
