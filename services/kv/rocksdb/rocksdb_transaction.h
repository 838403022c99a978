#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_TRANSACTION_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_TRANSACTION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rocksdb/db.h"
#include "rocksdb/utilities/transaction.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// The view of a RocksDB transaction, with its locks held, that a transaction's function works on.
class RocksDbTransaction : public KvTransaction {
 public:
  // All arguments must outlive it. `locks` are in locking order.
  RocksDbTransaction(rocksdb::Transaction* transaction, rocksdb::ColumnFamilyHandle* column_family,
                     const std::vector<Lock>* locks)
      : transaction_(transaction), column_family_(column_family), locks_(locks) {}

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  void Put(absl::string_view key, absl::string_view value) override;
  void Delete(absl::string_view key) override;

  // The status of the first refused write; OK if there is none.
  const absl::Status& write_status() const { return write_status_; }
  bool has_writes() const;
  bool has_deletes() const { return has_deletes_; }

 private:
  bool MayWrite(absl::string_view key);

  rocksdb::Transaction* const transaction_;
  rocksdb::ColumnFamilyHandle* const column_family_;
  const std::vector<Lock>* const locks_;
  absl::Status write_status_;
  bool has_deletes_ = false;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_TRANSACTION_H_
