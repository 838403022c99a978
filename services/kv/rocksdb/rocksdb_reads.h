#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_READS_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_READS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rocksdb/iterator.h"
#include "rocksdb/options.h"
#include "rocksdb/slice.h"
#include "rocksdb/status.h"
#include "services/kv/kv_engine.h"

// Reads of RocksDB that are the same for the database and for a transaction. Each takes the RocksDB call that differs.
namespace entrepot::kv {

inline rocksdb::Slice ToSlice(absl::string_view bytes) { return rocksdb::Slice(bytes.data(), bytes.size()); }

absl::StatusOr<std::optional<std::string>> ReadOne(
    absl::FunctionRef<rocksdb::Status(rocksdb::PinnableSlice* value)> get);

using MultiGetCall = absl::FunctionRef<void(size_t count, const rocksdb::Slice* keys, rocksdb::PinnableSlice* values,
                                            rocksdb::Status* statuses)>;
absl::StatusOr<std::vector<std::optional<std::string>>> ReadMany(absl::Span<const std::string> keys, MultiGetCall call);

using NewIteratorCall = absl::FunctionRef<rocksdb::Iterator*(const rocksdb::ReadOptions&)>;
absl::StatusOr<std::vector<KeyValue>> ReadRange(const ScanOptions& options, NewIteratorCall new_iterator);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_READS_H_
