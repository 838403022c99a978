#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_RECORD_CURSOR_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_RECORD_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// The number of records whose reading counts as one operation of a Pace.
inline constexpr uint64_t kRecordsAnOperation = 200;

// Reads the records with one prefix one by one. Fetches them in batches that are bounded by number and by bytes: many
// small records are cheap, and large ones take little memory. Not thread-safe.
class RecordCursor {
 public:
  // `kv` must outlive it. `start_after`: as in kv::ScanOptions.
  RecordCursor(kv::KvReader* kv, std::string prefix, std::string start_after)
      : kv_(kv),
        scan_{.prefix = std::move(prefix),
              .start_after = std::move(start_after),
              .limit = kFirstBatch,
              .bytes_max = kBatchBytes} {}

  // The next record, valid until the next call; null after the last one.
  absl::StatusOr<const kv::KeyValue*> Next();

 private:
  // A reader that needs few records does not fetch many.
  static constexpr size_t kFirstBatch = 16;
  static constexpr size_t kBatchMax = 1000;
  // The last record of a batch may exceed it.
  static constexpr size_t kBatchBytes = 512 * 1024;

  kv::KvReader* const kv_;
  kv::ScanOptions scan_;
  std::vector<kv::KeyValue> batch_;
  size_t position_ = 0;
  bool at_end_ = false;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_RECORD_CURSOR_H_
