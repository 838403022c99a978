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
// After an I/O error on a write the engine stops writing: it is not known which writes the kernel still holds, so a
// second attempt that "succeeds" proves nothing. Reads continue. Each Transact with writes gives kUnavailable until the
// directory is reopened, which reads back what is on the disk. The same holds if another directory was put in the place
// of the engine's: a commit would go to the old one, and would not be found after a restart. A nearly full disk is not
// such an error: transactions with writes get kUnavailable until there is room again; only transactions with deletions
// continue (services/core/files/disk_space.h).
class RocksDbKvEngine : public KvEngine {
 public:
  struct Options {
    // Made if it does not exist.
    std::string directory;
    // For memtables and block cache together. A larger value makes reads of cold keys faster.
    size_t memory_bytes_max = size_t{32} << 20;
    // How long one attempt waits for one lock.
    absl::Duration lock_timeout = absl::Milliseconds(500);
    RetryPolicy retry;
    // Receives RocksDB's warnings and errors, one line a call, on any thread. May be empty.
    std::function<void(absl::string_view)> log = {};
  };

  // kUnavailable if another engine has the directory, or if it cannot be read or written. kDataLoss if its contents are
  // corrupt; the message contains the file. After a power cut a write-ahead log may end in the middle of a record: the
  // engine opens without that record, which was never acknowledged as durable. If a log contains record types that
  // rocksdb_wal_end.h does not know, the engine warns through `log` and leaves recovery to RocksDB, which may take a
  // damaged last record for a torn one.
  static absl::StatusOr<std::unique_ptr<RocksDbKvEngine>> Open(const Options& options);

  // No call may be running. Writes the memtables to files, so that nothing depends on the log after a clean stop.
  ~RocksDbKvEngine() override;

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  absl::Status Transact(std::vector<Lock> locks, const Function& fn, Durability durability) override;
  // RocksDB's memtables and block cache. Values of 4 KiB and more leave memory when their memtable is written to files.
  KvReader& in_memory() override;

  // See KvStack::Snapshot.
  absl::Status Snapshot(const std::string& directory);

  // OK, or the reason why the engine no longer writes.
  absl::Status Health() const;
  // See KvStack::CheckWritable.
  absl::Status CheckWritable() const { return CheckMayCommit(/*deletes=*/false); }

  // The metrics entrepot_rocksdb_*. The object may outlive the engine, and is empty then.
  std::shared_ptr<prometheus::Collectable> metrics() const;

 private:
  struct Db;
  class InMemory;

  explicit RocksDbKvEngine(std::unique_ptr<Db> db);
  absl::Status CheckMayCommit(bool deletes) const;
  Attempt TransactOnce(const std::vector<Lock>& locks, const Function& fn, Durability durability);

  const std::unique_ptr<Db> db_;
  const std::unique_ptr<InMemory> in_memory_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_KV_ENGINE_H_
