#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_STATUS_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/status.h"

namespace entrepot::kv {

// Converts a status to the codes of services/kv/kv_engine.h: corruption becomes kDataLoss, an I/O error kUnavailable, a
// lock that was not granted kAborted, and anything else kInternal. The message is `doing: ` followed by RocksDB's own.
absl::Status FromRocksDb(const rocksdb::Status& status, absl::string_view doing);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_STATUS_H_
