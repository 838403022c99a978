#include "services/kv/rocksdb/rocksdb_status.h"

#include "absl/strings/str_cat.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {
namespace {

absl::StatusCode CodeOf(const rocksdb::Status& status) {
  switch (status.code()) {
    case rocksdb::Status::kOk:
      return absl::StatusCode::kOk;
    case rocksdb::Status::kCorruption:
      return absl::StatusCode::kDataLoss;
    case rocksdb::Status::kIOError:
    case rocksdb::Status::kShutdownInProgress:
      return absl::StatusCode::kUnavailable;
    case rocksdb::Status::kBusy:
    case rocksdb::Status::kTimedOut:
    case rocksdb::Status::kAborted:
    case rocksdb::Status::kExpired:
    case rocksdb::Status::kTryAgain:
      return absl::StatusCode::kAborted;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status FromRocksDb(const rocksdb::Status& status, absl::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  // Only reads that may not use the disk get it.
  if (status.IsIncomplete()) return NotInMemory();
  return absl::Status(CodeOf(status), absl::StrCat(doing, ": ", status.ToString()));
}

}  // namespace entrepot::kv
