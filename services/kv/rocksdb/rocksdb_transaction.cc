#include "services/kv/rocksdb/rocksdb_transaction.h"

#include "rocksdb/utilities/write_batch_with_index.h"
#include "services/kv/lock_table.h"
#include "services/kv/rocksdb/rocksdb_reads.h"
#include "services/kv/rocksdb/rocksdb_status.h"

namespace entrepot::kv {

absl::StatusOr<std::optional<std::string>> RocksDbTransaction::Get(absl::string_view key) {
  return ReadOne([&](rocksdb::PinnableSlice* value) {
    return transaction_->Get(rocksdb::ReadOptions(), column_family_, ToSlice(key), value);
  });
}

absl::StatusOr<std::vector<std::optional<std::string>>> RocksDbTransaction::MultiGet(
    absl::Span<const std::string> keys) {
  return ReadMany(
      keys, [&](size_t count, const rocksdb::Slice* slices, rocksdb::PinnableSlice* values, rocksdb::Status* statuses) {
        transaction_->MultiGet(rocksdb::ReadOptions(), column_family_, count, slices, values, statuses);
      });
}

absl::StatusOr<std::vector<KeyValue>> RocksDbTransaction::Scan(const ScanOptions& options) {
  return ReadRange(options, [&](const rocksdb::ReadOptions& read_options) {
    return transaction_->GetIterator(read_options, column_family_);
  });
}

// Writes go to the batch directly. Transaction::Put would lock each key in the order of the writes, and the keys that
// need a lock have one.
void RocksDbTransaction::Put(absl::string_view key, absl::string_view value) {
  if (!MayWrite(key)) return;
  write_status_ = FromRocksDb(transaction_->GetWriteBatch()->Put(column_family_, ToSlice(key), ToSlice(value)),
                              "cannot write a key");
}

void RocksDbTransaction::Delete(absl::string_view key) {
  if (!MayWrite(key)) return;
  has_deletes_ = true;
  write_status_ =
      FromRocksDb(transaction_->GetWriteBatch()->Delete(column_family_, ToSlice(key)), "cannot delete a key");
}

bool RocksDbTransaction::MayWrite(absl::string_view key) {
  if (write_status_.ok()) write_status_ = CheckWritable(*locks_, key);
  return write_status_.ok();
}

bool RocksDbTransaction::has_writes() const { return transaction_->GetWriteBatch()->GetWriteBatch()->Count() > 0; }

}  // namespace entrepot::kv
