#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_STATUS_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_STATUS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rocksdb/status.h"

namespace entrepot::kv {

// In the terms of kv_engine.h: corruption is kDataLoss, an I/O error kUnavailable, a lock not got kAborted, anything
// else kInternal. The message is `doing: ` and RocksDB's own.
absl::Status FromRocksDb(const rocksdb::Status& status, absl::string_view doing);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_STATUS_H_
