#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_KV_ENGINE_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_KV_ENGINE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "prometheus/collectable.h"
#include "services/kv/aborted_retry.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// The embedded engine: RocksDB's TransactionDB in one directory, which one process at a time may open
// (decisions/2026-11-24-rocksdb-settings.md).
//
// After an I/O error on a write the engine stops writing: what the kernel still holds is unknown, so a second attempt
// that "succeeds" proves nothing. Reads go on; each Transact that writes gives kUnavailable until the directory is
// opened anew, which reads back what the disk has. A disk that is nearly full is no such error: what writes is refused
// with kUnavailable until there is room, only what deletes goes on (free_space.h).
class RocksDbKvEngine : public KvEngine {
 public:
  struct Options {
    // Made where it is missing.
    std::string directory;
    // Of memtables and block cache together. More makes reads of cold keys faster.
    size_t memory_bytes_max = size_t{32} << 20;
    // How long one attempt waits for one lock.
    absl::Duration lock_timeout = absl::Milliseconds(500);
    RetryPolicy retry;
    // Takes RocksDB's warnings and errors, one line a call, from any thread. May be empty.
    std::function<void(absl::string_view)> log = {};
  };

  // kUnavailable: another engine has the directory, or it cannot be read or written. kDataLoss: what it holds is
  // corrupt; the message names the file. A write-ahead log that ends in the middle of a record is what a power cut
  // leaves: it opens, without that record, which nobody was told is durable.
  static absl::StatusOr<std::unique_ptr<RocksDbKvEngine>> Open(const Options& options);

  // No call may be under way. Writes out the memtables, so that nothing depends on the log after a clean stop.
  ~RocksDbKvEngine() override;

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override;

  // KvStack::Snapshot.
  absl::Status Snapshot(const std::string& directory);

  // OK, or why the engine no longer writes. For readiness checks.
  absl::Status Health() const;

  // entrepot_rocksdb_*. May outlive the engine; it is empty then.
  std::shared_ptr<prometheus::Collectable> metrics() const;

 private:
  struct Db;

  explicit RocksDbKvEngine(std::unique_ptr<Db> db);
  absl::Status CheckMayCommit(bool deletes) const;
  Attempt TransactOnce(const std::vector<Lock>& locks, const Function& fn, Durability durability);

  const std::unique_ptr<Db> db_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_KV_ENGINE_H_
